// SPDX-License-Identifier: Apache-2.0
// Tables that can be sorted and filtered, and downloads that are packed in the page. Without it the page shows everything,
// in the order of the report.
(function () {
  'use strict';

  function each(list, action) { Array.prototype.forEach.call(list, action); }

  function element(name, attributes, children) {
    var made = document.createElement(name);
    Object.keys(attributes || {}).forEach(function (key) { made.setAttribute(key, attributes[key]); });
    (children || []).forEach(function (child) {
      made.appendChild(typeof child === 'string' ? document.createTextNode(child) : child);
    });
    return made;
  }

  // ---- Sorting: within each body of a table, so that oracle, controls and the perfect model stay apart.

  // The number a cell starts with; NaN where there is none.
  function numberOf(cell) {
    var text = cell.textContent.trim().replace(/^\u2212/, '-');
    if (/^-?\u221e/.test(text)) return text.charAt(0) === '-' ? -Infinity : Infinity;
    return parseFloat(text);
  }

  // Smaller is better; what has no number comes last in either order.
  function loss(value, best) {
    if (best === 'high') return -value;
    if (best === 'low' || best === undefined) return value;
    return Math.abs(value - parseFloat(best));
  }

  function compareRows(a, b, column, best, backwards) {
    var first = a.row.cells[column];
    var second = b.row.cells[column];
    if (first.tagName === 'TH') {
      var order = first.textContent.localeCompare(second.textContent, 'en', { numeric: true });
      return (backwards ? -order : order) || a.place - b.place;
    }
    var x = loss(numberOf(first), best);
    var y = loss(numberOf(second), best);
    if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y) || a.place - b.place;
    if (x === y) return a.place - b.place;
    return (x < y) === backwards ? 1 : -1;
  }

  function makeSortable(table) {
    var headers = table.tHead ? table.tHead.rows[0].cells : [];
    // A body without headers of rows is no list of arms.
    if (!headers.length || !table.tBodies.length) return;
    var bodies = [];
    each(table.tBodies, function (body) {
      bodies.push({ body: body, rows: Array.prototype.map.call(body.rows, function (row, place) {
        return { row: row, place: place };
      }) });
    });
    if (!bodies.some(function (one) { return one.rows.length > 1; })) return;
    var sorted = -1;
    var backwards = false;

    function sortBy(column) {
      if (sorted !== column) { sorted = column; backwards = false; }
      else if (!backwards) { backwards = true; }
      else { sorted = -1; }
      each(headers, function (header, i) {
        header.removeAttribute('aria-sort');
        if (i !== sorted) return;
        // "ascending" speaks of the values: where high is best, the best come first in descending order.
        var best = header.dataset.best;
        var falls = (best === 'high') !== backwards;
        header.setAttribute('aria-sort', best && best !== 'high' && best !== 'low' ? 'other' : falls ? 'descending' : 'ascending');
        header.dataset.order = backwards ? 'backwards' : 'forwards';
      });
      bodies.forEach(function (one) {
        var order = one.rows.slice().sort(function (a, b) {
          return sorted < 0 ? a.place - b.place : compareRows(a, b, sorted, headers[sorted].dataset.best, backwards);
        });
        order.forEach(function (entry) { one.body.appendChild(entry.row); });
      });
    }

    each(headers, function (header, column) {
      var name = header.firstChild ? header.firstChild.textContent.trim() : '';
      if (!name) return;
      var samples = header.dataset.samples;
      var button = element('button', { type: 'button', 'class': 'sort',
                                       'aria-label': 'Sort by ' + name + (samples ? ', ' + samples : ''),
                                       title: 'Sort: best first, worst first, as reported' });
      header.insertBefore(button, header.firstChild.nextSibling);
      header.classList.add('sortable');
      header.addEventListener('click', function (event) {
        if (event.target.closest('a')) return;
        sortBy(column);
      });
    });
  }

  // ---- Filtering: which learners and which columns are shown in all tables of a task.

  function choice(label, values, first) {
    var select = element('select', {}, [element('option', { value: '' }, [first])].concat(values.map(function (value) {
      return element('option', { value: value }, [value]);
    })));
    return { select: select, label: element('label', {}, [label + ' ', select]) };
  }

  function unique(values) {
    return values.filter(function (value, i) { return value && values.indexOf(value) === i; });
  }

  // "ddpm" and "normal" of the header of a row.
  function armOf(row) {
    var header = row.cells[0];
    var small = header.querySelector('small');
    return { method: header.firstChild.textContent.trim(), lift: small ? small.textContent.trim() : 'none',
             text: header.textContent.trim().toLowerCase() };
  }

  function makeFilter(group) {
    // Rows of arms: other tables of a task list something else.
    var tables = Array.prototype.slice.call(group.querySelectorAll('table[data-arms]'));
    var rows = [];
    tables.forEach(function (table) {
      each(table.querySelectorAll('tbody.learners > tr'), function (row) { rows.push({ row: row, arm: armOf(row) }); });
    });
    var methods = unique(rows.map(function (one) { return one.arm.method; }));
    var lifts = unique(rows.map(function (one) { return one.arm.lift; }));
    if (unique(rows.map(function (one) { return one.arm.text; })).length < 2) return;

    var search = element('input', { type: 'search', placeholder: 'part of its name', size: '15', autocomplete: 'off' });
    var method = choice('Method', methods, 'all methods');
    var lift = choice('Lift', lifts, 'all lifts');
    var samples = choice('Samples', ['raw', 'projected'], 'raw and projected');
    var status = element('span', { role: 'status', 'class': 'hint' });
    var reset = element('button', { type: 'button' }, ['Show all']);
    var bar = element('div', { 'class': 'filters', role: 'group', 'aria-label': 'Filter the tables' }, [
      element('label', {}, ['Name ', search]), method.label, lift.label, samples.label, reset, status]);
    group.insertBefore(bar, group.firstChild);

    function apply() {
      var wanted = search.value.trim().toLowerCase().split(/\s+/);
      var arms = [];
      var shown = [];
      rows.forEach(function (one) {
        var fits = (!method.select.value || one.arm.method === method.select.value) &&
                   (!lift.select.value || one.arm.lift === lift.select.value) &&
                   wanted.every(function (word) { return one.arm.text.indexOf(word) >= 0; });
        one.row.hidden = !fits;
        (fits ? shown : arms).push(one.arm.text);
      });
      tables.forEach(function (table) {
        var headers = table.tHead.rows[0].cells;
        var kinds = Array.prototype.map.call(headers, function (header) { return header.dataset.samples || ''; });
        var kind = samples.select.value;
        // A table of one kind alone stays as it is.
        var has = kinds.indexOf(kind) >= 0;
        each(table.rows, function (row) {
          each(row.cells, function (cell, i) { cell.hidden = !!kind && has && !!kinds[i] && kinds[i] !== kind; });
        });
      });
      var left = unique(shown).length;
      var all = unique(shown.concat(arms)).length;
      status.textContent = left === all ? '' : left + ' of ' + all + ' learners; marks are those among all';
    }
    [search, method.select, lift.select, samples.select].forEach(function (control) {
      control.addEventListener('input', apply);
      control.addEventListener('change', apply);
    });
    reset.addEventListener('click', function () {
      search.value = '';
      [method, lift, samples].forEach(function (one) { one.select.selectedIndex = 0; });
      apply();
    });
  }

  // ---- Downloads: the page holds large files packed; a browser that can unpack gives them out plain.

  function makeDownload(link) {
    if (typeof DecompressionStream === 'undefined' || typeof Response === 'undefined') return;
    link.addEventListener('click', function (event) {
      event.preventDefault();
      var binary = atob(link.href.slice(link.href.indexOf(',') + 1));
      var bytes = new Uint8Array(binary.length);
      for (var i = 0; i < binary.length; ++i) bytes[i] = binary.charCodeAt(i);
      new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).blob().then(function (plain) {
        var address = URL.createObjectURL(new Blob([plain], { type: link.dataset.type }));
        var name = link.getAttribute('download').replace(/\.gz$/, '');
        var direct = element('a', { href: address, download: name });
        document.body.appendChild(direct);
        direct.click();
        direct.remove();
        setTimeout(function () { URL.revokeObjectURL(address); }, 60000);
      });
    });
  }

  // ---- Folds: what a link leads to is opened, a cell of the matrix opens its task.

  function openAt(id) {
    var target = id && document.getElementById(id);
    if (!target) return;
    var inside = target.querySelector(':scope > details');
    if (inside) inside.open = true;
    for (var e = target; e; e = e.parentElement) if (e.tagName === 'DETAILS') e.open = true;
    target.scrollIntoView();
  }

  function openAddress() { openAt(decodeURIComponent(location.hash.slice(1))); }

  function makeFolds() {
    var folds = document.querySelectorAll('main > section > details');
    var button = element('button', { type: 'button' }, ['Open all']);
    var bar = document.querySelector('nav.folds .downloads');
    if (bar && folds.length) bar.appendChild(button);
    button.addEventListener('click', function () {
      var open = Array.prototype.some.call(folds, function (fold) { return !fold.open; });
      each(folds, function (fold) { fold.open = open; });
      button.textContent = open ? 'Close all' : 'Open all';
    });
    document.addEventListener('click', function (event) {
      var link = event.target.closest('a[href^="#"]');
      var cell = event.target.closest('td[data-task]');
      // The address stays the same where a link is followed twice, so hashchange alone is not enough.
      if (link) openAt(decodeURIComponent(link.getAttribute('href').slice(1)));
      else if (cell && !window.getSelection().toString()) location.hash = cell.dataset.task;
    });
    window.addEventListener('hashchange', openAddress);
    openAddress();
  }

  each(document.querySelectorAll('table'), makeSortable);
  makeFolds();
  each(document.querySelectorAll('.tables'), makeFilter);
  each(document.querySelectorAll('a[data-packed]'), makeDownload);
})();
