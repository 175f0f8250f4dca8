// SPDX-License-Identifier: Apache-2.0
#pragma once
// The labels beside the images of a task, for the classifier whose features compare images.

#include <cstdint>
#include <string>
#include <vector>

#include "contracts/image_layout.hpp"
#include "core/points.hpp"

namespace onmanifold {

/// Whole images of one total (nothing left out), one a column, with their classes 0, 1, ….
struct LabelledImages {
  ImageLayout layout;
  double total = 0;
  Points train;  ///< the images of the task's training split only
  std::vector<std::uint8_t> train_labels;
  Points test;  ///< the whole test file: the task's reference split
  std::vector<std::uint8_t> test_labels;
  Index classes = 0;  ///< largest label + 1
};

/// Where they are. Nothing is read before it is asked for.
class LabelledImageFiles {
 public:
  /// \p folder with the four IDX files of the data set \p name; \p images_hash: SHA-256 of the image files'
  /// content as the task read them.
  LabelledImageFiles(std::string folder, std::string name, bool pool, Index held_out, std::string images_hash);

  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  /// SHA-256, hexadecimal, over images, labels, pooling and split: what a classifier was trained on. Reads
  /// the label files. \throw MissingData, InvalidInput as for IDX files.
  [[nodiscard]] std::string hash() const;
  /// Reads all four files. \throw MissingData, InvalidInput as for IDX files, also if there are not as many
  /// labels as images or fewer than two classes.
  [[nodiscard]] LabelledImages load() const;

 private:
  std::string folder_;
  std::string name_;
  bool pool_;
  Index held_out_;
  std::string images_hash_;
};

}  // namespace onmanifold
