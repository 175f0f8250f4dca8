// SPDX-License-Identifier: Apache-2.0
// The interactive views: reference and one arm side by side on one canvas, so that one camera serves both.
(function () {
  'use strict';

  function hasWebGL() {
    try {
      var canvas = document.createElement('canvas');
      return !!(canvas.getContext('webgl2') || canvas.getContext('webgl'));
    } catch (error) {
      return false;
    }
  }

  function decode(text) {
    var binary = atob(text);
    var bytes = new Uint8Array(binary.length);
    for (var i = 0; i < binary.length; ++i) bytes[i] = binary.charCodeAt(i);
    return new DataView(bytes.buffer);
  }

  // Int16 triples to [-1, 1]; a point outside the picture is NaN.
  function decodePoints(text) {
    var view = decode(text);
    var points = new Float32Array(view.byteLength / 2);
    for (var i = 0; i < points.length; i += 3) {
      var outside = view.getInt16(2 * i, true) === -32768;
      for (var k = 0; k < 3; ++k) points[i + k] = outside ? NaN : view.getInt16(2 * (i + k), true) / 32767;
    }
    return points;
  }

  function decodeFloats(text) {
    var view = decode(text);
    var values = new Float32Array(view.byteLength / 4);
    for (var i = 0; i < values.length; ++i) values[i] = view.getFloat32(4 * i, true);
    return values;
  }

  function decodeFaces(text) {
    var view = decode(text);
    var faces = new Uint16Array(view.byteLength / 2);
    for (var i = 0; i < faces.length; ++i) faces[i] = view.getUint16(2 * i, true);
    return faces;
  }

  // The stops of the scale in page.css: blue to orange, ever lighter, readable with any colour vision.
  var STOPS = [[36, 104, 180], [124, 84, 176], [208, 74, 112], [246, 148, 30]];
  function ramp(t) {
    var x = Math.max(0, Math.min(1, t)) * (STOPS.length - 1);
    var i = Math.min(Math.floor(x), STOPS.length - 2);
    return STOPS[i].map(function (a, k) { return (a + (x - i) * (STOPS[i + 1][k] - a)) / 255; });
  }

  function movedDistances(arm) {
    var n = arm.raw.length / 3;
    var result = new Float32Array(n);
    for (var i = 0; i < n; ++i) {
      var sum = 0;
      for (var k = 0; k < 3; ++k) sum += Math.pow(arm.raw[3 * i + k] - arm.projected[3 * i + k], 2);
      result[i] = Math.sqrt(sum);
    }
    return result;
  }

  var disc = null;
  function discTexture() {
    if (disc) return disc;
    var canvas = document.createElement('canvas');
    canvas.width = canvas.height = 32;
    var context = canvas.getContext('2d');
    context.fillStyle = '#fff';
    context.beginPath();
    context.arc(16, 16, 15, 0, 2 * Math.PI);
    context.fill();
    disc = new THREE.CanvasTexture(canvas);
    return disc;
  }

  function start(root) {
    var data = JSON.parse(document.getElementById(root.dataset.scene).textContent);
    var reference = decodePoints(data.reference);
    var arms = data.arms.map(function (arm) {
      var decoded = { label: arm.label, learner: arm.learner, projected: decodePoints(arm.projected), outside: arm.outside };
      // Rotations are drawn in other coordinates than those they are moved in.
      if (arm.raw) decoded.raw = decodePoints(arm.raw);
      decoded.moved = arm.moved ? decodeFloats(arm.moved) : movedDistances(decoded);
      return decoded;
    });
    // One scale for all arms of a task: the 98th percentile over the learners. A control that is far off must not
    // flatten them.
    var all = [];
    var learners = arms.filter(function (arm) { return arm.learner; });
    (learners.length ? learners : arms).forEach(function (arm) {
      arm.moved.forEach(function (d) { if (isFinite(d)) all.push(d); });
    });
    all.sort(function (a, b) { return a - b; });
    var farthest = all.length ? all[Math.floor(0.98 * (all.length - 1))] : 0;
    // Below the step of the quantisation there is nothing to show.
    farthest = Math.max(farthest, 2e-4);

    var live = root.querySelector('.viewer-live');
    var canvas = root.querySelector('canvas');
    var select = root.querySelector('select');
    var byDistance = root.querySelector('.by-distance');
    var secondLabel = root.querySelector('.stage-label.second');
    live.hidden = false;

    var renderer;
    try {
      renderer = new THREE.WebGLRenderer({ canvas: canvas, antialias: true, alpha: true });
    } catch (error) {
      live.hidden = true;
      return;
    }
    root.querySelector('.viewer-message').hidden = true;
    renderer.setPixelRatio(Math.min(window.devicePixelRatio || 1, 2));
    renderer.setScissorTest(true);
    renderer.setClearColor(0, 0);

    var camera = new THREE.PerspectiveCamera(34, 1, 0.01, 60);
    var toward = new THREE.Vector3().fromArray(data.toward);
    var right = new THREE.Vector3().fromArray(data.right);
    var up = new THREE.Vector3().fromArray(data.up);
    camera.up.fromArray(data.axis);
    // A plane is seen a little from the side, so that points off it show.
    var home = toward.clone();
    if (data.flat) home.addScaledVector(right, 0.25).addScaledVector(up, -0.55);
    home.normalize().multiplyScalar(3.4);
    camera.position.copy(home);

    var controls = new THREE.OrbitControls(camera, canvas);
    controls.enablePan = false;
    controls.enableKeys = false;
    controls.minDistance = 0.6;
    controls.maxDistance = 12;
    // The wheel scrolls the page until the view has the focus.
    controls.enableZoom = false;
    canvas.addEventListener('focus', function () { controls.enableZoom = true; });
    canvas.addEventListener('blur', function () { controls.enableZoom = false; });
    canvas.addEventListener('touchstart', function () { controls.enableZoom = true; }, true);

    var surfaces = [];
    function surface() {
      var s = data.surface;
      var geometry;
      if (!s) return null;
      if (s.kind === 'mesh') {
        geometry = new THREE.BufferGeometry();
        geometry.setAttribute('position', new THREE.BufferAttribute(decodePoints(s.vertices), 3));
        geometry.setIndex(new THREE.BufferAttribute(decodeFaces(s.faces), 1));
        geometry.computeVertexNormals();
      } else if (s.kind === 'sphere') {
        geometry = new THREE.SphereBufferGeometry(s.radius, 64, 40);
        geometry.translate(s.centre[0], s.centre[1], s.centre[2]);
      } else {
        geometry = new THREE.PlaneBufferGeometry(1.85, 1.85);
        geometry.applyMatrix(new THREE.Matrix4().makeBasis(right, up, toward));
      }
      return geometry;
    }
    var surfaceGeometry = surface();

    function makeScene() {
      var scene = new THREE.Scene();
      scene.add(new THREE.HemisphereLight(0xffffff, 0x777777, 0.75));
      var light = new THREE.DirectionalLight(0xffffff, 0.5);
      light.position.copy(toward).add(up);
      scene.add(light);
      if (surfaceGeometry) {
        var material = new THREE.MeshLambertMaterial({ transparent: true, depthWrite: false, side: THREE.DoubleSide,
                                                       opacity: data.surface.kind === 'mesh' ? 0.42 : 0.28 });
        surfaces.push(material);
        scene.add(new THREE.Mesh(surfaceGeometry, material));
      }
      return scene;
    }

    function makePoints(scene) {
      var material = new THREE.PointsMaterial({ size: 3.4, sizeAttenuation: false, map: discTexture(), alphaTest: 0.5,
                                                transparent: false });
      var cloud = new THREE.Points(new THREE.BufferGeometry(), material);
      cloud.frustumCulled = false;
      scene.add(cloud);
      return cloud;
    }

    function fill(cloud, points, moved, coloured) {
      var kept = [];
      var colours = [];
      for (var i = 0; i < points.length / 3; ++i) {
        if (isNaN(points[3 * i])) continue;
        kept.push(points[3 * i], points[3 * i + 1], points[3 * i + 2]);
        if (coloured) Array.prototype.push.apply(colours, isNaN(moved[i]) ? ramp(1) : ramp(moved[i] / farthest));
      }
      cloud.geometry.dispose();
      cloud.geometry = new THREE.BufferGeometry();
      cloud.geometry.setAttribute('position', new THREE.Float32BufferAttribute(kept, 3));
      if (coloured) cloud.geometry.setAttribute('color', new THREE.Float32BufferAttribute(colours, 3));
      cloud.material.vertexColors = coloured ? THREE.VertexColors : THREE.NoColors;
      cloud.material.needsUpdate = true;
    }

    var scenes = [makeScene(), makeScene()];
    var clouds = [makePoints(scenes[0]), makePoints(scenes[1])];

    function theme() {
      var style = getComputedStyle(root);
      function colour(name) { return new THREE.Color(style.getPropertyValue(name).trim()); }
      surfaces.forEach(function (material) { material.color = colour('--surface'); });
      clouds[0].material.color = colour('--reference');
      clouds[1].material.color = byDistance.checked ? new THREE.Color(0xffffff) : colour('--points');
    }

    function draw() {
      var width = canvas.clientWidth;
      var height = canvas.clientHeight;
      if (!width || !height) return;
      var size = renderer.getSize(new THREE.Vector2());
      if (size.x !== width || size.y !== height) renderer.setSize(width, height, false);
      var stacked = window.matchMedia('(max-width: 40rem)').matches;
      var w = stacked ? width : width / 2;
      var h = stacked ? height / 2 : height;
      camera.aspect = w / h;
      // The field of view holds for the shorter side.
      camera.fov = w < h ? 2 * Math.atan(Math.tan(17 * Math.PI / 180) * h / w) * 180 / Math.PI : 34;
      camera.updateProjectionMatrix();
      scenes.forEach(function (scene, i) {
        var x = stacked ? 0 : i * w;
        var y = stacked ? (1 - i) * h : 0;
        renderer.setViewport(x, y, w, h);
        renderer.setScissor(x, y, w, h);
        renderer.render(scene, camera);
      });
    }

    function show() {
      var arm = arms[select.selectedIndex];
      var choice = root.querySelector('input[type=radio]:checked');
      var kind = choice ? choice.value : 'projected';
      fill(clouds[0], reference, null, false);
      fill(clouds[1], arm[kind], arm.moved, byDistance.checked);
      secondLabel.firstChild.textContent = arm.label + ', ' + kind;
      var outside = arm.outside[kind];
      secondLabel.querySelector('small').textContent =
        arm[kind].length / 3 + ' points' + (outside ? ', of them ' + outside + ' outside the picture' : '');
      root.querySelector('.scale').style.visibility = byDistance.checked ? 'visible' : 'hidden';
      root.querySelector('.scale-end').textContent = (farthest * data.half).toPrecision(2);
      theme();
      draw();
    }

    controls.addEventListener('change', draw);
    select.addEventListener('change', show);
    byDistance.addEventListener('change', show);
    root.querySelectorAll('input[type=radio]').forEach(function (input) { input.addEventListener('change', show); });
    function reset() {
      camera.position.copy(home);
      controls.update();
      draw();
    }
    root.querySelector('button').addEventListener('click', reset);
    canvas.addEventListener('keydown', function (event) {
      var spherical = new THREE.Spherical();
      var turn = new THREE.Quaternion().setFromUnitVectors(camera.up, new THREE.Vector3(0, 1, 0));
      spherical.setFromVector3(camera.position.clone().applyQuaternion(turn));
      switch (event.key) {
        case 'ArrowLeft': spherical.theta -= 0.12; break;
        case 'ArrowRight': spherical.theta += 0.12; break;
        case 'ArrowUp': spherical.phi -= 0.12; break;
        case 'ArrowDown': spherical.phi += 0.12; break;
        case '+': case '=': spherical.radius /= 1.15; break;
        case '-': spherical.radius *= 1.15; break;
        case '0': event.preventDefault(); reset(); return;
        default: return;
      }
      event.preventDefault();
      spherical.radius = Math.max(controls.minDistance, Math.min(controls.maxDistance, spherical.radius));
      spherical.makeSafe();
      camera.position.setFromSpherical(spherical).applyQuaternion(turn.inverse());
      controls.update();
      draw();
    });
    window.addEventListener('resize', draw);
    var dark = window.matchMedia('(prefers-color-scheme: dark)');
    (dark.addEventListener ? dark.addEventListener.bind(dark, 'change') : dark.addListener.bind(dark))(show);
    controls.update();
    show();
  }

  var viewers = Array.prototype.slice.call(document.querySelectorAll('.viewer'));
  if (!viewers.length || typeof THREE === 'undefined' || !hasWebGL()) {
    viewers.forEach(function (root) {
      var message = root.querySelector('.viewer-message');
      message.textContent = 'This browser offers no WebGL, so there is no interactive view. ' + message.dataset.fallback;
    });
    return;
  }
  // A view starts when it comes near the window: a page may hold more views than a browser grants contexts at once.
  if (typeof IntersectionObserver === 'undefined') {
    viewers.forEach(start);
    return;
  }
  var observer = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) {
      if (!entry.isIntersecting) return;
      observer.unobserve(entry.target);
      start(entry.target);
    });
  }, { rootMargin: '600px' });
  viewers.forEach(function (root) { observer.observe(root); });
})();
