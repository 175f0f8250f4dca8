// SPDX-License-Identifier: Apache-2.0
#include "models/networks/convolution.hpp"

#include <algorithm>
#include <optional>
#include <tuple>

#include <dlfcn.h>
#include <dnnl.hpp>

namespace onmanifold {
namespace {

using dnnl::memory;

/// oneDNN takes as many threads as OpenMP offers to the calling thread. The symbol is looked up instead of
/// linked: which runtime there is, is oneDNN's own matter.
void use_one_thread() {
  using Setter = void (*)(int);
  static const auto setter = reinterpret_cast<Setter>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
  if (setter != nullptr) setter(1);
}

const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

memory::desc describe(const memory::dims& dims, memory::format_tag tag) {
  return {dims, memory::data_type::f32, tag};
}

/// What describes \p Primitive: oneDNN 3 takes the arguments of its operation itself, oneDNN 2 a descriptor of them,
/// which stood before the attributes and the engine. \p rest: what follows the engine (the forward pass as a hint).
template <class Primitive, class... Rest>
typename Primitive::primitive_desc describe_primitive(const dnnl::primitive_attr& attributes, const auto& arguments,
                                                      const Rest&... rest) {
  return std::apply(
      [&](const auto&... values) {
#if DNNL_VERSION_MAJOR >= 3
        return typename Primitive::primitive_desc(engine(), values..., rest..., attributes);
#else
        return typename Primitive::primitive_desc({values...}, attributes, engine(), rest...);
#endif
      },
      arguments);
}

/// oneDNN's type for what it reads has no const.
void* handle(const float* data) {
  return const_cast<float*>(data);
}

/// A copy of weights in the layout that a primitive wants.
struct Weights {
  Weights(const memory::desc& plain, const memory::desc& own)
      : data(own, engine()), plain_view(plain, engine(), nullptr) {}
  memory data;
  memory plain_view;
};

}  // namespace

struct Convolution::Primitives {
  explicit Primitives(const ConvolutionShape& s)
      : stream(engine()),
        plain(describe({s.outputs, s.inputs, s.kernel, s.kernel}, memory::format_tag::oihw)),
        bias_desc(describe({s.outputs}, memory::format_tag::x)),
        bias(bias_desc, engine()),
        x(describe({s.images, s.inputs, s.side, s.side}, memory::format_tag::nhwc), engine(), nullptr),
        y(describe({s.images, s.outputs, s.side, s.side}, memory::format_tag::nhwc), engine(), nullptr),
        dx(x.get_desc(), engine(), nullptr),
        dy(y.get_desc(), engine(), nullptr) {
    const memory::dims stride = {1, 1};
    const memory::dims padding = {s.kernel / 2, s.kernel / 2};
    const memory::desc any = describe({s.outputs, s.inputs, s.kernel, s.kernel}, memory::format_tag::any);
    dnnl::primitive_attr attributes;
    if (s.add) {
      dnnl::post_ops add;
      add.append_sum();
      attributes.set_post_ops(add);
    }
    constexpr auto direct = dnnl::algorithm::convolution_direct;
    const auto forward_desc = describe_primitive<dnnl::convolution_forward>(
        attributes, std::make_tuple(s.training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference,
                                    direct, x.get_desc(), any, bias_desc, y.get_desc(), stride, padding, padding));
    forward = dnnl::convolution_forward(forward_desc);
    forward_weights.emplace(plain, forward_desc.weights_desc());
    to_forward = dnnl::reorder(forward_weights->plain_view, forward_weights->data);
    if (!s.training) return;
    if (s.input_gradient) {
      const auto desc = describe_primitive<dnnl::convolution_backward_data>(
          {}, std::make_tuple(direct, x.get_desc(), any, y.get_desc(), stride, padding, padding), forward_desc);
      backward_data = dnnl::convolution_backward_data(desc);
      backward_weights.emplace(plain, desc.weights_desc());
      to_backward = dnnl::reorder(backward_weights->plain_view, backward_weights->data);
    }
    const auto desc = describe_primitive<dnnl::convolution_backward_weights>(
        {}, std::make_tuple(direct, x.get_desc(), any, bias_desc, y.get_desc(), stride, padding, padding),
        forward_desc);
    backward_parameters = dnnl::convolution_backward_weights(desc);
    part.emplace(plain, desc.diff_weights_desc());
    part_bias = memory(bias_desc, engine());
    from_part = dnnl::reorder(part->data, part->plain_view);
    sum.setZero(static_cast<Index>(desc.diff_weights_desc().get_size() / sizeof(float)));
    bias_sum.setZero(s.outputs);
  }

  dnnl::stream stream;
  memory::desc plain;
  memory::desc bias_desc;
  memory bias;
  memory x;
  memory y;
  memory dx;
  memory dy;
  dnnl::primitive forward;
  dnnl::primitive backward_data;
  dnnl::primitive backward_parameters;
  dnnl::reorder to_forward;
  dnnl::reorder to_backward;
  dnnl::reorder from_part;
  std::optional<Weights> forward_weights;
  std::optional<Weights> backward_weights;
  std::optional<Weights> part;  // gradient of one call
  memory part_bias;
  Eigen::VectorXf sum;  // of the gradients, in the layout of `part`
  Eigen::VectorXf bias_sum;
};

Convolution::Convolution(const ConvolutionShape& shape) : shape_(shape) {
  use_one_thread();
  primitives_ = std::make_unique<Primitives>(shape);
}
Convolution::~Convolution() = default;
Convolution::Convolution(Convolution&&) noexcept = default;

void Convolution::set_weights(const float* weight, const float* bias) {
  use_one_thread();  // another part of the program may have said otherwise since
  Primitives& p = *primitives_;
  std::copy_n(bias, shape_.outputs, static_cast<float*>(p.bias.get_data_handle()));
  p.forward_weights->plain_view.set_data_handle(handle(weight));
  p.to_forward.execute(p.stream, p.forward_weights->plain_view, p.forward_weights->data);
  if (!p.backward_weights) return;
  p.backward_weights->plain_view.set_data_handle(handle(weight));
  p.to_backward.execute(p.stream, p.backward_weights->plain_view, p.backward_weights->data);
}

void Convolution::forward(const float* x, float* y) {
  Primitives& p = *primitives_;
  p.x.set_data_handle(handle(x));
  p.y.set_data_handle(y);
  p.forward.execute(
      p.stream,
      {{DNNL_ARG_SRC, p.x}, {DNNL_ARG_WEIGHTS, p.forward_weights->data}, {DNNL_ARG_BIAS, p.bias}, {DNNL_ARG_DST, p.y}});
}

void Convolution::backward(const float* x, const float* dy, float* dx) {
  Primitives& p = *primitives_;
  p.x.set_data_handle(handle(x));
  p.dy.set_data_handle(handle(dy));
  p.backward_parameters.execute(p.stream, {{DNNL_ARG_SRC, p.x},
                                           {DNNL_ARG_DIFF_DST, p.dy},
                                           {DNNL_ARG_DIFF_WEIGHTS, p.part->data},
                                           {DNNL_ARG_DIFF_BIAS, p.part_bias}});
  p.sum += Eigen::Map<const Eigen::VectorXf>(static_cast<const float*>(p.part->data.get_data_handle()), p.sum.size());
  p.bias_sum +=
      Eigen::Map<const Eigen::VectorXf>(static_cast<const float*>(p.part_bias.get_data_handle()), p.bias_sum.size());
  if (dx == nullptr) return;
  p.dx.set_data_handle(dx);
  p.backward_data.execute(
      p.stream, {{DNNL_ARG_DIFF_DST, p.dy}, {DNNL_ARG_WEIGHTS, p.backward_weights->data}, {DNNL_ARG_DIFF_SRC, p.dx}});
}

void Convolution::clear_gradient() {
  primitives_->sum.setZero();
  primitives_->bias_sum.setZero();
}

void Convolution::gradient(float* weight, float* bias) {
  Primitives& p = *primitives_;
  std::copy_n(p.sum.data(), p.sum.size(), static_cast<float*>(p.part->data.get_data_handle()));
  p.part->plain_view.set_data_handle(weight);
  p.from_part.execute(p.stream, p.part->data, p.part->plain_view);
  std::copy_n(p.bias_sum.data(), p.bias_sum.size(), bias);
}

}  // namespace onmanifold
