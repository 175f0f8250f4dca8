// SPDX-License-Identifier: Apache-2.0
#pragma once
// A small convolutional classifier of images after LeNet-5 \cite lecun1998, whose penultimate layer gives the
// features of fid_lenet. Convolutions by oneDNN, on one thread.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "contracts/feature_map.hpp"
#include "contracts/generative_model.hpp"
#include "contracts/image_layout.hpp"
#include "core/points.hpp"
#include "core/random/stream.hpp"

namespace onmanifold {

/// x (side×side pixels, one channel) -> conv5×5 to 8 -> ReLU -> mean 2×2 -> conv5×5 to 16 -> ReLU -> mean 2×2
/// -> 120 -> ReLU -> 84 -> ReLU -> classes. Convolutions are padded with zeros to equal size. The numbers of
/// LeNet-5 but for 8 channels instead of 6, the padding of the second layer and ReLU. 0.9 million
/// multiply-adds at side 28. Nothing of oneDNN is touched before a Workspace is made.
class Lenet {
 public:
  static constexpr Index channels1 = 8;
  static constexpr Index channels2 = 16;
  static constexpr Index hidden = 120;
  static constexpr Index features = 84;  ///< width of the penultimate layer
  static constexpr const char* name = "lenet5-fc84";

  /// \throw InvalidInput unless \p side is a positive multiple of 4 and there are 2 … 256 classes.
  Lenet(Index side, Index classes);
  /// The sizes of a state. \throw InvalidInput if it is none of this network.
  explicit Lenet(const ModelState& state);

  [[nodiscard]] Index side() const { return side_; }
  [[nodiscard]] Index classes() const { return classes_; }
  /// Floats in a buffer of parameters, padding included.
  [[nodiscard]] Index buffer_size() const { return size_; }
  [[nodiscard]] Index parameter_count() const;
  /// Uniform on ±sqrt(6/inputs) (He), biases 0.
  [[nodiscard]] Eigen::VectorXf initial_parameters(const Stream& stream) const;
  /// "conv1_weight" (outputs × (inputs·5·5), a row-major (out, in, row, column) array), "dense1_weight"
  /// (outputs×inputs, inputs in the order row, column, channel), …, and "_bias" for each.
  [[nodiscard]] ModelState to_state(const Eigen::VectorXf& parameters) const;
  /// \throw InvalidInput if \p state is not of this shape.
  [[nodiscard]] Eigen::VectorXf from_state(const ModelState& state) const;

  /// Memory and primitives for a fixed number of images.
  class Workspace {
   public:
    ~Workspace();
    Workspace(Workspace&&) noexcept;
    Workspace& operator=(Workspace&&) = delete;

   private:
    friend class Lenet;
    struct Parts;
    explicit Workspace(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
  };
  [[nodiscard]] Workspace make_workspace(Index images, bool training) const;

  /// Must be called before forward() whenever parameters have changed.
  void load(const Eigen::VectorXf& parameters, Workspace& workspace) const;
  /// \p x (side²)×images, pixels in rows from the top. Penultimate activations and logits are then in the
  /// workspace. \throw InvalidInput on another shape.
  void forward(const Eigen::MatrixXf& x, Workspace& workspace) const;
  [[nodiscard]] static const Eigen::MatrixXf& features_of(const Workspace& workspace);  ///< 84×images
  [[nodiscard]] static const Eigen::MatrixXf& logits_of(const Workspace& workspace);    ///< classes×images
  /// Mean cross-entropy (nats) of the last forward() and its gradient. \pre workspace made for training
  [[nodiscard]] double backward(const Eigen::MatrixXf& x, const std::vector<std::uint8_t>& labels, Workspace& workspace,
                                Eigen::VectorXf& gradient) const;

 private:
  struct Layer {
    std::string name;
    Index outputs = 0;
    Index inputs = 0;  // of one output: channels · 25, or the width
    bool row_major = false;
    Index weight = 0;
    Index bias = 0;
  };
  Index side_;
  Index classes_;
  Index size_ = 0;
  std::vector<Layer> layers_;
};

struct LenetTraining {
  Index epochs = 6;
  Index batch = 64;
  double learning_rate = 2e-3;
};

/// Trains on \p images (side²×n) with Adam and keeps the average of the weights. Deterministic on one
/// machine. \throw InvalidInput on labels that do not fit, NumericalFailure if the loss is not finite. Cost:
/// about 1 ms a batch of 64 at side 28.
[[nodiscard]] ModelState train_lenet(const Eigen::MatrixXf& images, const std::vector<std::uint8_t>& labels,
                                     Index classes, const LenetTraining& options, const Stream& stream);
/// Share of \p images whose largest logit is that of their label.
[[nodiscard]] double lenet_accuracy(const ModelState& state, const Eigen::MatrixXf& images,
                                    const std::vector<std::uint8_t>& labels);
/// Penultimate activations, 84×n. The bits of a column depend on this column only.
[[nodiscard]] Eigen::MatrixXf lenet_features(const ModelState& state, const Eigen::MatrixXf& images);

/// SHA-256, hexadecimal, over names, sizes and values of a state in the order of the names.
[[nodiscard]] std::string state_hash(const ModelState& state);

/// Side of the images that a network for \p image sees: sides that are no multiple of 4 are doubled by
/// repeating pixels. 0 if there is none (not square, odd, below 4 or above 64).
[[nodiscard]] Index lenet_side(const ImageLayout& image);
/// What the network sees of images of total \p total: (x · P/total - 1) / 2.4 with P pixels in the image,
/// which is mean 0 and about unit variance for digits, pixels that the layout leaves out at 0 before that,
/// repeated 2×2 where lenet_side says so. \p points (kept pixels)×n.
[[nodiscard]] Eigen::MatrixXf lenet_input(const ImageLayout& image, double total, const PointsRef& points);
/// The features of \p state on points of a task of images, named lenet5-fc84@sha256:<hash>. \p map of the
/// result may be called by one thread at a time.
[[nodiscard]] FeatureMap make_lenet_features(const ModelState& state, const ImageLayout& image, double total,
                                             double accuracy);

}  // namespace onmanifold
