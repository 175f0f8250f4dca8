// SPDX-License-Identifier: Apache-2.0
#include "models/two_step/two_step_model.hpp"

#include <cmath>
#include <optional>
#include <string>

#include "contracts/latent_model.hpp"
#include "core/error.hpp"
#include "manifolds/manifold.hpp"
#include "models/diffusion/ddpm.hpp"
#include "models/flows/flow_model.hpp"
#include "models/two_step/autoencoder.hpp"

namespace onmanifold {
namespace {

const std::string first_prefix = "autoencoder_";
const std::string second_prefix = "latent_";

/// An autoencoder with the weights that a training left.
struct FittedAutoencoder {
  Autoencoder model;
  Eigen::VectorXf parameters;
  Standardisation units;

  [[nodiscard]] Points standardised(const PointsRef& x) const { return (x.colwise() - units.mean) / units.scale; }
  [[nodiscard]] Points decode(const PointsRef& z) const {
    return (units.scale * model.decode(parameters, z)).colwise() + units.mean;
  }
};

class Vae final : public GenerativeModel {
 public:
  explicit Vae(Settings& settings)
      : settings_(AutoencoderSettings::read(settings, "")),
        noise_(settings.boolean("decoder_noise", true, "whether samples get the noise of the decoder")) {}

  [[nodiscard]] Curves curves() const override { return curves_; }
  [[nodiscard]] ModelState state() const override {
    return fitted_ ? fitted_->model.to_state(fitted_->parameters) : ModelState{};
  }

 private:
  void do_fit(const FitContext& context) override {
    Autoencoder model = settings_.make(context, true);
    TrainedAutoencoder trained = train_autoencoder(model, settings_, context);
    fitted_.emplace(FittedAutoencoder{model, std::move(trained.average), standardisation(*context.training)});
    curves_ = std::move(trained.curves);
  }
  void do_load(const ModelState& state, const FitContext& context) override {
    Autoencoder model = settings_.make(context, true);
    Eigen::VectorXf parameters = model.from_state(state);
    fitted_.emplace(FittedAutoencoder{model, std::move(parameters), standardisation(*context.training)});
    curves_.clear();
  }
  [[nodiscard]] Points do_sample(Index n, const Stream& stream) const override {
    const FittedAutoencoder& f = *fitted_;
    Points samples = f.decode(stream.at("latent").normal(f.model.latent(), n));
    if (noise_) {
      const double scale = f.units.scale * f.model.decoder_scale(f.parameters);
      samples += scale * stream.at("noise").normal(f.model.dimension(), n);
    }
    return samples;
  }

  AutoencoderSettings settings_;
  bool noise_;
  std::optional<FittedAutoencoder> fitted_;
  Curves curves_;
};

/// The latent points of a source, pass by pass.
class LatentSource final : public TrainingSource {
 public:
  /// References outlive the source. \p noise addresses the draws from q(z|x) by pass.
  LatentSource(const FittedAutoencoder& autoencoder, const TrainingSource& data, const Stream& noise)
      : autoencoder_(autoencoder), data_(data), noise_(noise) {
    clean_ = autoencoder.model.encode(autoencoder.parameters, autoencoder.standardised(data.clean_points()));
  }
  [[nodiscard]] Index dimension() const override { return clean_.rows(); }
  [[nodiscard]] Index size() const override { return data_.size(); }
  [[nodiscard]] const Points& clean_points() const override { return clean_; }
  [[nodiscard]] Points epoch(Index epoch) const override {
    const FittedAutoencoder& f = autoencoder_;
    Points deviation;
    Points z = f.model.encode(f.parameters, f.standardised(data_.epoch(epoch)), &deviation);
    if (f.model.variational()) {
      z += deviation.cwiseProduct(noise_.at(static_cast<std::uint64_t>(epoch)).normal(z.rows(), z.cols()));
    }
    return z;
  }

 private:
  const FittedAutoencoder& autoencoder_;
  const TrainingSource& data_;
  Stream noise_;
  Points clean_;
};

class TwoStepModel final : public GenerativeModel, public LatentModel {
 public:
  TwoStepModel(AutoencoderSettings first, bool variational, std::unique_ptr<GenerativeModel> second, bool likelihood)
      : settings_(first), variational_(variational), second_(std::move(second)), likelihood_(likelihood) {}

  [[nodiscard]] Curves curves() const override {
    Curves result = second_->curves();
    for (const auto& [name, values] : curves_) result[first_prefix + name] = values;
    return result;
  }
  [[nodiscard]] ModelState state() const override {
    if (!fitted_) return {};
    ModelState result;
    for (auto& [name, values] : fitted_->model.to_state(fitted_->parameters)) result[first_prefix + name] = values;
    for (auto& [name, values] : second_->state()) result[second_prefix + name] = values;
    return result;
  }
  [[nodiscard]] std::optional<Vector> log_density(const PointsRef& points) const override {
    if (!likelihood_) return std::nullopt;
    const FittedAutoencoder& f = *fitted_;
    const Points z = f.model.encode(f.parameters, f.standardised(points));
    std::optional<Vector> result = second_->log_density(z);
    if (result) {
      *result -= f.model.log_volume(f.parameters, z);
      result->array() -= static_cast<double>(z.rows()) * std::log(f.units.scale);
    }
    return result;
  }
  [[nodiscard]] bool density_is_intrinsic() const override { return likelihood_; }

  [[nodiscard]] Index latent_dimension() const override { return fitted_->model.latent(); }
  [[nodiscard]] Points encode(const PointsRef& x) const override {
    return fitted_->model.encode(fitted_->parameters, fitted_->standardised(x));
  }
  [[nodiscard]] Points decode(const PointsRef& z) const override { return fitted_->decode(z); }
  [[nodiscard]] Points encoder_products(const PointsRef& x, const PointsRef& vectors, Index count) const override {
    const FittedAutoencoder& f = *fitted_;
    return f.model.encoder_products(f.parameters, f.standardised(x), vectors, count) / f.units.scale;
  }
  [[nodiscard]] Points decoder_products(const PointsRef& z, const PointsRef& vectors, Index count) const override {
    return fitted_->units.scale * fitted_->model.decoder_products(fitted_->parameters, z, vectors, count);
  }
  [[nodiscard]] double decoder_norm_bound() const override {
    return fitted_->units.scale * fitted_->model.decoder_norm_bound(fitted_->parameters);
  }
  [[nodiscard]] Points sample_latent(Index n, const Stream& stream) const override {
    return second_->sample(n, stream);
  }
  [[nodiscard]] std::unique_ptr<ScoreField> latent_score() const override { return second_->score_field(); }

 private:
  /// \p context for the second step; \p source outlives it.
  static FitContext latent_context(const FitContext& context, const TrainingSource& source) {
    FitContext result = context;
    result.training = &source;
    result.sampler = nullptr;
    result.diffused_score = nullptr;
    result.image = nullptr;
    result.lift_scale = 0;
    result.initialisation = context.initialisation.at("latent");
    result.training_noise = context.training_noise.at("latent");
    return result;
  }
  [[nodiscard]] Autoencoder prepare(const FitContext& context) const {
    Autoencoder model = settings_.make(context, variational_);
    if (likelihood_ && model.latent() != context.manifold->dimension()) {
      throw Unsupported("likelihood = true needs latent = " + std::to_string(context.manifold->dimension()) +
                        ", the dimension of the manifold");
    }
    return model;
  }
  void do_fit(const FitContext& context) override {
    Autoencoder model = prepare(context);
    FitContext first = context;
    first.initialisation = context.initialisation.at("autoencoder");
    first.training_noise = context.training_noise.at("autoencoder");
    if (context.progress) first.progress = [&](double done) { context.progress(0.5 * done); };
    TrainedAutoencoder trained = train_autoencoder(model, settings_, first);
    fitted_.emplace(FittedAutoencoder{model, std::move(trained.average), standardisation(*context.training)});
    curves_ = std::move(trained.curves);
    const LatentSource source(*fitted_, *context.training, context.training_noise.at("posterior"));
    FitContext second = latent_context(context, source);
    if (context.progress) second.progress = [&](double done) { context.progress(0.5 + 0.5 * done); };
    second_->fit(second);
  }
  void do_load(const ModelState& state, const FitContext& context) override {
    Autoencoder model = prepare(context);
    ModelState first;
    ModelState second;
    for (const auto& [name, values] : state) {
      if (name.starts_with(first_prefix)) first[name.substr(first_prefix.size())] = values;
      if (name.starts_with(second_prefix)) second[name.substr(second_prefix.size())] = values;
    }
    Eigen::VectorXf parameters = model.from_state(first);
    fitted_.emplace(FittedAutoencoder{model, std::move(parameters), standardisation(*context.training)});
    curves_.clear();
    const LatentSource source(*fitted_, *context.training, context.training_noise.at("posterior"));
    second_->load(second, latent_context(context, source));
  }
  [[nodiscard]] Points do_sample(Index n, const Stream& stream) const override {
    return fitted_->decode(second_->sample(n, stream));
  }

  AutoencoderSettings settings_;
  bool variational_;
  std::unique_ptr<GenerativeModel> second_;
  bool likelihood_;
  std::optional<FittedAutoencoder> fitted_;
  Curves curves_;
};

}  // namespace

std::unique_ptr<GenerativeModel> make_vae(Settings& settings) {
  return std::make_unique<Vae>(settings);
}

std::unique_ptr<GenerativeModel> make_autoencoder_ddpm(Settings& settings) {
  const AutoencoderSettings first = AutoencoderSettings::read(settings, first_prefix);
  return std::make_unique<TwoStepModel>(first, false, make_ddpm(settings), false);
}

std::unique_ptr<GenerativeModel> make_vae_ddpm(Settings& settings) {
  const AutoencoderSettings first = AutoencoderSettings::read(settings, first_prefix);
  return std::make_unique<TwoStepModel>(first, true, make_ddpm(settings), false);
}

std::unique_ptr<GenerativeModel> make_vae_flow(Settings& settings) {
  const AutoencoderSettings first = AutoencoderSettings::read(settings, first_prefix);
  const bool likelihood =
      settings.boolean("likelihood", false, "whether log-densities are computed; needs latent = dim M");
  return std::make_unique<TwoStepModel>(first, true, make_spline_flow(settings), likelihood);
}

}  // namespace onmanifold
