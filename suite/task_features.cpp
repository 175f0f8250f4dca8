// SPDX-License-Identifier: Apache-2.0
#include "suite/task_features.hpp"

#include <chrono>
#include <filesystem>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "core/files/hdf5_file.hpp"
#include "core/files/sha256.hpp"
#include "datasets/readers/missing_data.hpp"
#include "metrics/principal_axes.hpp"
#include "models/networks/lenet.hpp"
#include "suite/cell_lock.hpp"

namespace onmanifold {
namespace {

namespace fs = std::filesystem;

constexpr Index axes = 64;
constexpr Index most_axis_points = 10000;
constexpr std::uint64_t lenet_seed = 0;
constexpr const char* weights_format = "onmanifold lenet 1";

std::string weights_path(const Task& task) {
  return fmt::format("{}/lenet-{}x{}.h5", task.labelled->folder(), task.image->height, task.image->width);
}

/// SHA-256 of everything that the weights follow from, on one machine.
std::string recipe(const Task& task) {
  const LenetTraining options;
  return to_hex(sha256(fmt::format("{} epochs={} batch={} rate={} seed={} {}", weights_format, options.epochs,
                                   options.batch, options.learning_rate, lenet_seed, task.labelled->hash())));
}

/// \throw InvalidInput, one line with what to do.
LenetWeights read_weights(const Task& task, const std::string& path, const std::string& expected) {
  const auto refuse = [&](const std::string& why) {
    return InvalidInput(fmt::format("{}: {}; `onmanifold lenet '{}(data={})' --force` trains them again", path, why,
                                    task.name, task.labelled->name()));
  };
  // On the bytes alone, before HDF5 has to read a damaged file.
  if (!check_file_digest(path).empty()) throw refuse("these weights are truncated or altered");
  try {
    const Hdf5Reader file(path);
    if (file.text("/format") != weights_format) throw refuse("weights of another version of the program");
    if (file.text("/recipe") != expected) throw refuse("weights for other images or of another version");
    LenetWeights result;
    result.path = path;
    result.accuracy = file.number("/accuracy");
    result.train_images = file.integer("/train_images");
    result.test_images = file.integer("/test_images");
    for (const std::string& name : file.children("/weights")) {
      result.state[name] = file.float_matrix("/weights/" + name);
    }
    result.classes = Lenet(result.state).classes();
    (void)Lenet(result.state).from_state(result.state);
    result.hash = state_hash(result.state);
    return result;
  } catch (const IoError& error) {
    throw refuse(error.what());
  }
}

void write_weights(const LenetWeights& weights, const std::string& made_from) {
  Hdf5Writer file(weights.path);
  file.write_text("/format", weights_format);
  file.write_text("/recipe", made_from);
  file.write_number("/accuracy", weights.accuracy);
  file.write_integer("/train_images", weights.train_images);
  file.write_integer("/test_images", weights.test_images);
  for (const auto& [name, value] : weights.state) file.write_matrix("/weights/" + name, value);
  file.commit();
}

LenetWeights train(const Task& task, const std::string& path) {
  const auto start = std::chrono::steady_clock::now();
  LenetWeights result;
  result.path = path;
  LabelledImages images = task.labelled->load();
  const Eigen::MatrixXf test = lenet_input(images.layout, images.total, images.test);
  const Eigen::MatrixXf train = lenet_input(images.layout, images.total, images.train);
  result.train_images = train.cols();
  result.test_images = test.cols();
  result.classes = images.classes;
  images.train.resize(0, 0);
  result.state = train_lenet(train, images.train_labels, images.classes, {}, Stream(lenet_seed, "lenet"));
  result.accuracy = lenet_accuracy(result.state, test, images.test_labels);
  result.hash = state_hash(result.state);
  result.trained = true;
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace

std::string lenet_obstacle(const Task& task) {
  if (!task.image || !task.labelled) return "not a task of images with labels";
  if (lenet_side(*task.image) == 0) {
    return fmt::format("no classifier for {}×{} pixels (square, even, 4 to 64)", task.image->height, task.image->width);
  }
  try {
    (void)task.labelled->hash();
  } catch (const MissingData& error) {
    return error.what();
  }
  return {};
}

LenetWeights lenet_weights(const Task& task, bool again) {
  const std::string path = weights_path(task);
  const std::string expected = recipe(task);
  if (!again && is_there(path)) return read_weights(task, path, expected);
  const FileLock lock(fmt::format("{}/.lenet.lock", task.labelled->folder()));
  // Another process may have trained while this one waited.
  if (!again && is_there(path)) return read_weights(task, path, expected);
  LenetWeights result = train(task, path);
  write_weights(result, expected);
  return result;
}

void check_lenet_weights(const Task& task) {
  if (!lenet_obstacle(task).empty()) return;
  const std::string path = weights_path(task);
  if (is_there(path)) {
    (void)read_weights(task, path, recipe(task));
  } else if (access(task.labelled->folder().c_str(), W_OK) != 0) {
    throw InvalidInput(
        fmt::format("{}: fid_lenet has to train its weights first, but they cannot be written there", path));
  }
}

FoundFeatures TaskFeatures::find(const std::string& name) const {
  if (const auto made = made_.find(name); made != made_.end()) return {&made->second, {}};
  std::optional<FeatureMap> map;
  if (name == "pca64") {
    if (!task_.splits) return {nullptr, "principal axes need a data set with a training split"};
    const Points& points = task_.splits->train->points();
    const Index n = std::min(points.cols(), most_axis_points);
    if (points.rows() <= axes || n <= axes) {
      return {nullptr, fmt::format("{} principal axes of {} points in {} dimensions", axes, n, points.rows())};
    }
    map = make_principal_axes(points.leftCols(n), axes);
  } else if (name == "lenet") {
    if (std::string why = lenet_obstacle(task_); !why.empty()) return {nullptr, std::move(why)};
    const LenetWeights weights = lenet_weights(task_);
    map = make_lenet_features(weights.state, *task_.image, task_.image_total, weights.accuracy);
  } else {
    return {nullptr, fmt::format("no features '{}'", name)};
  }
  return {&made_.emplace(name, std::move(*map)).first->second, {}};
}

}  // namespace onmanifold
