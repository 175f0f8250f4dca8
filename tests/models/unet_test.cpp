// SPDX-License-Identifier: Apache-2.0
// The fast U-Net against the plain one in double, its gradients against finite differences of the plain one.
#include "models/networks/unet.hpp"

#include <numeric>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "models/diffusion/denoiser_training.hpp"
#include "models/registry.hpp"
#include "tests/models/model_fixtures.hpp"
#include "tests/models/reference_unet.hpp"
#include "tests/support/expect_throws_message.hpp"
#include "tests/support/sanitizers.hpp"

namespace onmanifold {
namespace {

ImageLayout square_images(Index side) {
  ImageLayout image{.height = side, .width = side, .pixels = std::vector<Index>(static_cast<std::size_t>(side * side))};
  std::iota(image.pixels.begin(), image.pixels.end(), Index{0});
  return image;
}

/// Without its first row, and the rest in reverse: an image that a task has taken constant pixels from.
ImageLayout without_first_row(Index side) {
  ImageLayout image = square_images(side);
  image.pixels.erase(image.pixels.begin(), image.pixels.begin() + side);
  std::reverse(image.pixels.begin(), image.pixels.end());
  return image;
}

struct UnetCase {
  UnetCase(const ImageLayout& layout, UnetOptions options, Index n)
      : image(layout),
        network(layout, options),
        parameters(network.initial_parameters(Stream(1, "unet"))),
        x(network.data_size(), n),
        embeddings(Network::embedding_size, n),
        dy(x),
        y(x) {
    Stream(1, "x").fill_normal(x);
    Stream(1, "e").fill_normal(embeddings);
    Stream(1, "dy").fill_normal(dy);
    // Gains, shifts and biases away from their first values, which would hide mistakes.
    Eigen::MatrixXf noise(network.buffer_size(), 1);
    Stream(1, "noise").fill_normal(noise);
    const Eigen::VectorXf moved = parameters + 0.05F * noise.col(0);
    parameters = network.from_state(network.to_state(moved));  // keeps the padding at 0
  }
  [[nodiscard]] Eigen::VectorXf gradient() {
    const auto tape = network.make_tape(x.cols());
    Eigen::VectorXf result = Eigen::VectorXf::Zero(network.buffer_size());
    network.forward(parameters, x, embeddings, *tape, y);
    network.backward(parameters, dy, *tape, result);
    return result;
  }
  [[nodiscard]] double loss(const ReferenceUnet& reference) const {
    double sum = 0;
    for (Index i = 0; i < x.cols(); ++i) {
      sum += reference(x.col(i).cast<double>(), embeddings.col(i).cast<double>()).dot(dy.col(i).cast<double>());
    }
    return sum;
  }

  ImageLayout image;
  Unet network;
  Eigen::VectorXf parameters;
  Eigen::MatrixXf x;
  Eigen::MatrixXf embeddings;
  Eigen::MatrixXf dy;
  Eigen::MatrixXf y;
};

TEST(Unet, ForwardAgreesWithThePlainNetwork) {
  for (const auto& [image, options] :
       {std::pair{square_images(20), UnetOptions{16, 32}}, std::pair{without_first_row(6), UnetOptions{32, 16}},
        std::pair{square_images(8), UnetOptions{16, 16}}}) {
    UnetCase example(image, options, 3);
    (void)example.gradient();
    ReferenceUnet reference(image, example.network.to_state(example.parameters));
    const auto error = [&] {
      double worst = 0;
      for (Index i = 0; i < 3; ++i) {
        const Vector expected = reference(example.x.col(i).cast<double>(), example.embeddings.col(i).cast<double>());
        worst = std::max(worst, (expected - example.y.col(i).cast<double>()).cwiseAbs().maxCoeff());
      }
      return worst;
    };
    // Outputs of order 1 through 8 layers of float sums of up to 300 terms.
    EXPECT_LT(error(), 2e-5) << example.network.name();
    // Negative control: one weight of the last layers that is off by a hundredth.
    reference.weights.at("up_conv2_weight")(0, 4) += 0.01;
    EXPECT_GT(error(), 1e-4) << example.network.name();
  }
}

TEST(Unet, GradientAgreesWithFiniteDifferencesInEveryLayer) {
  // 8×8 has the blocks with and without a change of channels; 20×20 the cut into 2×2 pixels, which only the
  // first and the last layer see.
  for (const auto& [image, options, n] :
       {std::tuple{without_first_row(8), UnetOptions{16, 32}, Index{sanitized ? 1 : 2}},
        std::tuple{square_images(20), UnetOptions{16, 16}, Index{1}}}) {
    UnetCase example(image, options, n);
    const Eigen::VectorXf buffer = example.gradient();
    // Padding has no gradient, or the optimiser would move it.
    EXPECT_EQ(example.network.from_state(example.network.to_state(buffer)), buffer);
    const ModelState gradient = example.network.to_state(buffer);
    ReferenceUnet reference(image, example.network.to_state(example.parameters));
    Index checked = 0;
    for (const auto& [name, analytic] : gradient) {
      if (image.height == 20 && !name.starts_with("in_") && !name.starts_with("out_")) continue;
      Eigen::MatrixXd& weight = reference.weights.at(name);
      const double scale = analytic.cwiseAbs().maxCoeff();
      ASSERT_GT(scale, 0) << name;
      // Two entries of each, the one of largest gradient and a fixed one; under sanitizers the first.
      Index row = 0;
      Index column = 0;
      analytic.cwiseAbs().maxCoeff(&row, &column);
      std::vector<std::pair<Index, Index>> entries = {{row, column}, {analytic.rows() / 2, analytic.cols() / 2}};
      if (sanitized) entries.pop_back();
      for (const auto& [r, c] : entries) {
        // Central differences in double: truncation and round-off balance near 1e-5, both about 1e-9 of the
        // loss.
        constexpr double h = 1e-5;
        const double keep = weight(r, c);
        weight(r, c) = keep + h;
        const double up = example.loss(reference);
        weight(r, c) = keep - h;
        const double down = example.loss(reference);
        weight(r, c) = keep;
        // Float sums over up to 1200 pixels behind 8 layers.
        EXPECT_NEAR((up - down) / (2 * h), static_cast<double>(analytic(r, c)), 5e-5 * scale + 1e-6)
            << example.network.name() << " " << name << "(" << r << ", " << c << ")";
        // Negative control: a layer's gradient that is off by one percent is seen.
        if (r == row && c == column) {
          EXPECT_GT(std::abs((up - down) / (2 * h) - 1.01 * static_cast<double>(analytic(r, c))), 5e-3 * scale) << name;
        }
        ++checked;
      }
    }
    const Index expected = image.height == 20 ? 6 : static_cast<Index>(gradient.size());
    EXPECT_EQ(checked, sanitized ? expected : 2 * expected);
  }
}

TEST(Unet, GradientInThePixelsAgreesWithFiniteDifferences) {
  for (const auto& [image, options, n] : {std::tuple{without_first_row(8), UnetOptions{16, 32}, Index{9}},
                                          std::tuple{square_images(20), UnetOptions{16, 16}, Index{2}}}) {
    UnetCase example(image, options, n);
    const auto tape = example.network.make_tape(n);
    Eigen::MatrixXf dx(example.x.rows(), n);
    Eigen::VectorXf gradient = Eigen::VectorXf::Zero(example.network.buffer_size());
    const auto backward = [&] {
      example.network.forward(example.parameters, example.x, example.embeddings, *tape, example.y);
      example.network.backward(example.parameters, example.dy, *tape, gradient);
    };
    backward();
    EXPECT_THROW(example.network.input_gradient(example.parameters, *tape, dx), InvalidInput);
    tape->keep_input_gradient = true;
    backward();
    example.network.input_gradient(example.parameters, *tape, dx);
    EXPECT_EQ(gradient, example.gradient());
    const ReferenceUnet reference(image, example.network.to_state(example.parameters));
    const float scale = dx.cwiseAbs().maxCoeff();
    const auto slope = [&](Index pixel, Index column) {
      const auto value = [&](double step) {
        Vector x = example.x.col(column).cast<double>();
        x[pixel] += step;
        return reference(x, example.embeddings.col(column).cast<double>()).dot(example.dy.col(column).cast<double>());
      };
      constexpr double h = 1e-5;  // in double: truncation and round-off about 1e-9
      return (value(h) - value(-h)) / (2 * h);
    };
    for (const auto& [pixel, column] :
         {std::pair{Index{0}, Index{0}}, std::pair{dx.rows() - 1, n - 1}, std::pair{dx.rows() / 2 + 3, n - 1}}) {
      // Float sums over pixels and channels behind 8 layers.
      EXPECT_NEAR(dx(pixel, column), slope(pixel, column), 5e-5 * static_cast<double>(scale));
    }
    Index pixel = 0;
    Index column = 0;
    dx.cwiseAbs().maxCoeff(&pixel, &column);
    EXPECT_NEAR(dx(pixel, column), slope(pixel, column), 5e-5 * static_cast<double>(scale));
    // Negative control: one that is off by a percent is seen.
    EXPECT_GT(std::abs(1.01 * static_cast<double>(dx(pixel, column)) - slope(pixel, column)),
              5e-3 * static_cast<double>(scale));
  }
}

TEST(Unet, TangentsAgreeWithFiniteDifferencesAndWithTheGradient) {
  // Two images more than go through together, with a change of channels; 20×20 has the cut into 2×2 pixels.
  for (const auto& [image, options, n] : {std::tuple{without_first_row(8), UnetOptions{16, 32}, Index{10}},
                                          std::tuple{square_images(20), UnetOptions{16, 16}, Index{1}}}) {
    UnetCase example(image, options, n);
    constexpr Index count = 2;
    Eigen::MatrixXf vectors(example.x.rows(), count * n);
    Stream(2, "v").fill_normal(vectors);
    example.embeddings = example.embeddings.col(0).replicate(1, n);
    const auto scratch = example.network.make_tangent_scratch();
    Eigen::MatrixXf y;
    Eigen::MatrixXf products;
    example.network.tangents(example.parameters, example.x, example.embeddings.col(0), vectors, count, *scratch, y,
                             products);
    const auto tape = example.network.make_tape(n);
    tape->keep_input_gradient = true;
    Eigen::VectorXf gradient = Eigen::VectorXf::Zero(example.network.buffer_size());
    Eigen::MatrixXf dx(example.x.rows(), n);
    example.network.forward(example.parameters, example.x, example.embeddings, *tape, example.y);
    example.network.backward(example.parameters, example.dy, *tape, gradient);
    example.network.input_gradient(example.parameters, *tape, dx);
    EXPECT_LT((y - example.y).cwiseAbs().maxCoeff(), 1e-5F);
    const ReferenceUnet reference(image, example.network.to_state(example.parameters));
    for (const Index column : {Index{0}, count * n - 1}) {
      const Index c = column / count;
      const auto value = [&](double step) {
        return reference(example.x.col(c).cast<double>() + step * vectors.col(column).cast<double>(),
                         example.embeddings.col(0).cast<double>());
      };
      constexpr double h = 1e-5;  // in double: truncation and round-off about 1e-9
      const Vector difference = (value(h) - value(-h)) / (2 * h);
      const Vector stated = products.col(column).cast<double>();
      const double scale = difference.cwiseAbs().maxCoeff();
      // Float sums over pixels and channels behind 8 layers.
      EXPECT_LT((stated - difference).cwiseAbs().maxCoeff(), 5e-5 * scale);
      EXPECT_GT((1.01 * stated - difference).cwiseAbs().maxCoeff(), 5e-3 * scale);
      // dy' (J v) = (J' dy)' v: forward mode against reverse mode.
      const double forward = stated.dot(example.dy.col(c).cast<double>());
      const double reverse = dx.col(c).cast<double>().dot(vectors.col(column).cast<double>());
      EXPECT_NEAR(forward, reverse, 1e-4 * stated.norm() * example.dy.col(c).cast<double>().norm());
    }
    const auto other = example.network.make_scratch(n);
    EXPECT_THROW(example.network.tangents(example.parameters, example.x, example.embeddings.col(0), vectors, count,
                                          *other, y, products),
                 InvalidInput);
    EXPECT_THROW(example.network.tangents(example.parameters, example.x, example.embeddings.col(0), vectors, 3,
                                          *scratch, y, products),
                 InvalidInput);
  }
}

TEST(Unet, ColumnsDoNotDependOnTheirCompany) {
  UnetCase example(square_images(14), {16, 16}, 19);
  (void)example.gradient();
  // Training pass against parts of it, and evaluation at one time against evaluation of fewer columns: the
  // same bits.
  const Eigen::MatrixXf all = example.y;
  const auto tape = example.network.make_tape(3);
  Eigen::MatrixXf few(196, 3);
  example.network.forward(example.parameters, example.x.middleCols(11, 3), example.embeddings.middleCols(11, 3), *tape,
                          few);
  EXPECT_EQ(few, all.middleCols(11, 3));

  const auto scratch = example.network.make_scratch(19);
  Eigen::MatrixXf y(196, 19);
  example.network.evaluate(example.parameters, example.x, 19, example.embeddings.col(0), *scratch, y);
  Eigen::MatrixXf part(196, 2);
  example.network.evaluate(example.parameters, example.x.middleCols(16, 2), 2, example.embeddings.col(0), *scratch,
                           part);
  EXPECT_EQ(part, y.middleCols(16, 2));
  // Evaluation and training are other code of oneDNN at most: equal to rounding.
  EXPECT_LT((y.col(0) - all.col(0)).cwiseAbs().maxCoeff(), 1e-5F);
}

TEST(Unet, GivesTheSameBitsAgain) {
  UnetCase first(square_images(14), {16, 32}, 11);
  UnetCase second(square_images(14), {16, 32}, 11);
  EXPECT_EQ(first.gradient(), second.gradient());
  EXPECT_EQ(first.y, second.y);
  EXPECT_EQ(first.gradient(), first.gradient());
}

TEST(Unet, HasTheStatedSize) {
  const Unet network(square_images(28));
  EXPECT_EQ(network.name(), "unet-28x28-32-48");
  EXPECT_EQ(network.data_size(), 784);
  EXPECT_NEAR(static_cast<double>(network.multiply_adds()), 9.5e6, 0.1e6);
  // The grid is the same, only the first and last layers have 1 channel instead of 4.
  EXPECT_EQ(network.multiply_adds() - Unet(square_images(14)).multiply_adds(), 2 * 3 * 32 * 9 * 196);
  EXPECT_EQ(network.pass_columns(1000), 8);
  EXPECT_EQ(network.pass_columns(5), 5);
}

TEST(Unet, StateRoundTripsAndWrongShapesAreRefused) {
  const Unet network(square_images(14), {16, 16});
  const Eigen::VectorXf parameters = network.initial_parameters(Stream(1, "unet"));
  EXPECT_EQ(network.from_state(network.to_state(parameters)), parameters);
  EXPECT_THROW((void)Unet(square_images(14), {16, 32}).from_state(network.to_state(parameters)), InvalidInput);
  EXPECT_THROW((void)Unet(square_images(14), {24, 32}), InvalidInput);
  EXPECT_THROW((void)Unet(square_images(15)), InvalidInput);
  ImageLayout image = square_images(14);
  image.pixels[3] = 2;
  EXPECT_THROW((void)Unet(image), InvalidInput);
  image.pixels.clear();
  EXPECT_THROW((void)Unet(image), InvalidInput);
  const auto tape = network.make_tape(2);
  Eigen::MatrixXf x = Eigen::MatrixXf::Zero(196, 3);
  Eigen::MatrixXf y = x;
  const Eigen::MatrixXf e = Eigen::MatrixXf::Zero(32, 3);
  EXPECT_THROW(network.forward(parameters, x, e, *tape, y), InvalidInput);
}

/// 8×8 images: a bright row on grey, its place uniform.
Points striped_images(Index n) {
  Stream stream(1, "stripes");
  Points images = 0.1 * stream.normal(64, n);
  for (Index i = 0; i < n; ++i) images.col(i).segment(8 * static_cast<Index>(stream.integer(8)), 8).array() += 2;
  return images;
}

class ImageFixture {
 public:
  ImageFixture() : plane_(Affine::plane(Vector::Constant(64, 0.125), 0)), source_(striped_images(100), Vector(), 0) {}
  [[nodiscard]] FitContext context() const {
    return {.training = &source_,
            .manifold = &plane_,
            .image = &image_,
            .smallest_noise = 0.01,
            .initialisation = Stream(7, "test/initialisation"),
            .training_noise = Stream(7, "test/training-noise"),
            .progress = {}};
  }

 private:
  ImageLayout image_ = square_images(8);
  Affine plane_;
  TestSource source_;
};

std::unique_ptr<GenerativeModel> make_ddpm_with(const Value::Table& table) {
  Settings settings{Value(table), "test"};
  auto model = method_registry().get("ddpm").factory(settings);
  settings.finish();
  return model;
}

TEST(DdpmOnImages, TrainsTheUnetUnlessToldOtherwise) {
  const ImageFixture fixture;
  const Value::Table table = {{"steps", 40}, {"batch", 12}, {"timesteps", 10}, {"warmup", 5}, {"learning_rate", 3e-3}};
  auto model = make_ddpm_with(table);
  model->fit(fixture.context());
  EXPECT_TRUE(model->state().contains("in_weight"));
  const Vector loss = model->curves().at("loss");
  EXPECT_LT(loss.tail(10).mean(), 0.7 * loss.head(3).mean());
  const Points samples = model->sample(3, Stream(1, "sample"));
  EXPECT_TRUE(samples.allFinite());

  auto again = make_ddpm_with(table);
  again->fit(fixture.context());
  EXPECT_EQ(again->sample(3, Stream(1, "sample")), samples);
  auto loaded = make_ddpm_with(table);
  loaded->load(model->state(), fixture.context());
  EXPECT_EQ(loaded->sample(3, Stream(1, "sample")), samples);

  Value::Table other = table;
  other["network"] = "mlp";
  auto perceptron = make_ddpm_with(other);
  perceptron->fit(fixture.context());
  EXPECT_TRUE(perceptron->state().contains("layer_0_weight"));

  FitContext no_image = fixture.context();
  no_image.image = nullptr;
  other["network"] = "unet";
  EXPECT_TRUE(throws_message<Unsupported>([&] { make_ddpm_with(other)->fit(no_image); }, {"images"}));
  const ImageLayout wrong = square_images(6);
  FitContext misfit = fixture.context();
  misfit.image = &wrong;
  EXPECT_TRUE(
      throws_message<InvalidInput>([&] { make_ddpm_with(table)->fit(misfit); }, {"64 coordinates", "36 pixels"}));
}

TEST(DdpmOnImages, ABatchInPartsIsTheBatch) {
  // Loss and gradient norm of a first step of 12 images, 8 + 4, against one tape for all of them.
  const ImageFixture fixture;
  const Unet network(square_images(8));
  const NoiseSchedule schedule = NoiseSchedule::cosine(10, 0.9);
  const NoisePrediction objective(schedule);
  const FitContext context = fixture.context();
  BatchReader reader(*context.training, standardisation(*context.training));
  DenoiserTrainer trainer(network, objective, {}, 12, context.initialisation, context.training_noise);
  const DenoiserTrainer::StepResult in_parts = trainer.step(reader);

  struct Whole final : Network {
    explicit Whole(const Unet& unet) : inner(unet) {}
    [[nodiscard]] Index data_size() const override { return inner.data_size(); }
    [[nodiscard]] std::string name() const override { return inner.name(); }
    [[nodiscard]] std::string last_layer() const override { return "out"; }
    [[nodiscard]] Index buffer_size() const override { return inner.buffer_size(); }
    [[nodiscard]] Index parameter_count() const override { return inner.parameter_count(); }
    [[nodiscard]] Eigen::VectorXf initial_parameters(const Stream& s) const override {
      return inner.initial_parameters(s);
    }
    [[nodiscard]] ModelState to_state(const Eigen::VectorXf& p) const override { return inner.to_state(p); }
    [[nodiscard]] Eigen::VectorXf from_state(const ModelState& s) const override { return inner.from_state(s); }
    [[nodiscard]] std::unique_ptr<Tape> make_tape(Index n) const override { return inner.make_tape(n); }
    [[nodiscard]] std::unique_ptr<Scratch> make_scratch(Index n) const override { return inner.make_scratch(n); }
    void forward(const Eigen::VectorXf& p, const Eigen::MatrixXf& x, const Eigen::MatrixXf& e, Tape& t,
                 Eigen::MatrixXf& y) const override {
      inner.forward(p, x, e, t, y);
    }
    void backward(const Eigen::VectorXf& p, const Eigen::MatrixXf& dy, Tape& t, Eigen::VectorXf& g) const override {
      inner.backward(p, dy, t, g);
    }
    void input_gradient(const Eigen::VectorXf& p, const Tape& t, Eigen::MatrixXf& dx) const override {
      inner.input_gradient(p, t, dx);
    }
    void evaluate(const Eigen::VectorXf& p, const Eigen::MatrixXf& x, Index n,
                  const Eigen::Ref<const Eigen::VectorXf>& e, Scratch& s, Eigen::MatrixXf& y) const override {
      inner.evaluate(p, x, n, e, s, y);
    }
    const Unet& inner;
  };
  const Whole whole(network);
  BatchReader same(*context.training, standardisation(*context.training));
  DenoiserTrainer at_once(whole, objective, {}, 12, context.initialisation, context.training_noise);
  const DenoiserTrainer::StepResult all = at_once.step(same);
  // Means of the same float numbers, added in another order.
  EXPECT_NEAR(in_parts.loss, all.loss, 1e-6 * all.loss);
  EXPECT_NEAR(in_parts.gradient_norm, all.gradient_norm, 1e-5 * all.gradient_norm);
}

}  // namespace
}  // namespace onmanifold
