// SPDX-License-Identifier: Apache-2.0
// HDF5 files that reach into other files, or have no values: refused, whoever reads them.

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include "core/error.hpp"
#include "core/files/hdf5_file.hpp"
#include "core/files/point_files.hpp"
#include "core/files/temporary_directory.hpp"

namespace onmanifold {
namespace {

using testing::HasSubstr;

class ForeignHdf5 : public testing::Test {
 protected:
  ForeignHdf5() {
    Hdf5Writer secret(secret_);
    secret.write_matrix("/samples", Points::Ones(2, 3));
    secret.write_text("/text", "a secret");
    secret.commit();
    file_ = H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  }
  /// A dataset 3×2 of doubles made with \p options; never written unless \p write.
  void dataset(const char* name, hid_t options, bool write = false, hsize_t rows = 3) {
    const std::array<hsize_t, 2> shape = {rows, 2};
    const hid_t space = H5Screate_simple(2, shape.data(), nullptr);
    const hid_t made = H5Dcreate2(file_, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, options, H5P_DEFAULT);
    ASSERT_GE(made, 0);
    if (write) {
      const std::vector<double> values(rows * 2, 7);
      H5Dwrite(made, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    }
    H5Dclose(made);
    H5Sclose(space);
  }
  static hid_t creation() { return H5Pcreate(H5P_DATASET_CREATE); }
  void close() { H5Fclose(file_); }

  /// What every way of reading says.
  void refused(const std::string& name, const std::string& why) {
    const auto said = [](const auto& read) -> std::string {
      try {
        read();
      } catch (const InvalidInput& error) {
        return error.what();
      } catch (const std::exception& error) {
        return std::string("another exception: ") + error.what();
      }
      return "nothing";
    };
    EXPECT_THAT(said([&] { (void)Hdf5Reader(path_).matrix(name); }), HasSubstr(why)) << name;
    EXPECT_THAT(said([&] { (void)Hdf5Reader(path_).shape(name); }), HasSubstr(why)) << name;
    EXPECT_THAT(said([&] { (void)read_points(path_ + ":" + name); }), HasSubstr(why)) << name;
  }

  TemporaryDirectory directory_;
  std::string secret_ = directory_.file("secret.h5");
  std::string path_ = directory_.file("foreign.h5");
  hid_t file_ = -1;
};

TEST_F(ForeignHdf5, ExternalStorageIsNotRead) {
  std::ofstream(directory_.file("secret")) << std::string(48, 'x');
  const hid_t options = creation();
  H5Pset_external(options, directory_.file("secret").c_str(), 0, 48);
  dataset("samples", options);
  close();
  refused("samples", "foreign.h5:samples: keeps its values in other files");
}

TEST_F(ForeignHdf5, LinksToOtherFilesAreNotFollowed) {
  H5Lcreate_external(secret_.c_str(), "/samples", file_, "samples", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_external(secret_.c_str(), "/", file_, "folder", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_external(secret_.c_str(), "/text", file_, "text", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_soft("/folder/samples", file_, "detour", H5P_DEFAULT, H5P_DEFAULT);
  close();
  refused("samples", "is a link to another file");
  const Hdf5Reader reader(path_);
  EXPECT_THROW((void)reader.text("text"), InvalidInput);
  EXPECT_FALSE(reader.has("folder/samples"));
  EXPECT_ANY_THROW((void)reader.matrix("folder/samples"));
  EXPECT_ANY_THROW((void)reader.matrix("detour"));
  EXPECT_ANY_THROW((void)read_points(path_ + ":folder/samples"));
  EXPECT_ANY_THROW((void)read_points(path_ + ":detour"));
  EXPECT_EQ(read_points(secret_), Points::Ones(2, 3)) << "the file itself can be read";
}

TEST_F(ForeignHdf5, VirtualDatasetsAreNotRead) {
  for (const std::string& source : {secret_, std::string("none.h5")}) {
    const std::array<hsize_t, 2> shape = {3, 2};
    const hid_t space = H5Screate_simple(2, shape.data(), nullptr);
    const hid_t options = creation();
    H5Pset_virtual(options, space, source.c_str(), "/samples", space);
    dataset(source == secret_ ? "there" : "missing", options);
    H5Sclose(space);
  }
  close();
  refused("there", "is a virtual dataset");
  refused("missing", "is a virtual dataset");
}

TEST_F(ForeignHdf5, NeverWrittenIsNotZero) {
  dataset("late", creation());
  const std::array<hsize_t, 2> chunk = {2, 2};
  const hid_t chunked = creation();
  H5Pset_chunk(chunked, 2, chunk.data());
  dataset("chunked", chunked);
  dataset("whole", chunked, true);
  dataset("bomb", chunked, false, hsize_t{1} << 40U);
  dataset("partial", chunked);
  const hid_t partial = H5Dopen2(file_, "partial", H5P_DEFAULT);
  const hid_t space = H5Dget_space(partial);
  const std::array<hsize_t, 2> start = {0, 0};
  const hid_t part = H5Screate_simple(2, chunk.data(), nullptr);
  H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, chunk.data(), nullptr);
  const std::array<double, 4> values = {1, 2, 3, 4};
  H5Dwrite(partial, H5T_NATIVE_DOUBLE, part, space, H5P_DEFAULT, values.data());
  H5Sclose(part);
  H5Sclose(space);
  H5Dclose(partial);
  close();
  for (const char* name : {"late", "chunked", "bomb", "partial"}) refused(name, "was never written");
  EXPECT_EQ(read_points(path_ + ":whole"), Points::Constant(2, 3, 7)) << "the twin that is written";
}

}  // namespace
}  // namespace onmanifold
