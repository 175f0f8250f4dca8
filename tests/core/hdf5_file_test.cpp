// SPDX-License-Identifier: Apache-2.0
#include "core/files/hdf5_file.hpp"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>

#include <gtest/gtest.h>
#include <hdf5.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "core/random/stream.hpp"

namespace onmanifold {
namespace {

namespace fs = std::filesystem;

class Hdf5Files : public testing::Test {
 protected:
  Hdf5Files() : directory_(fs::temp_directory_path() / ("hdf5_file_test." + std::to_string(::getpid()))) {
    fs::remove_all(directory_);
    fs::create_directories(directory_);
  }
  ~Hdf5Files() override {
    fs::remove_all(directory_);
    // Every test closes what it opens.
    EXPECT_EQ(H5Fget_obj_count(static_cast<hid_t>(H5F_OBJ_ALL), H5F_OBJ_ALL), 0);
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (directory_ / name).string(); }

  fs::path directory_;
};

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const InvalidInput& error) {
    return std::string("InvalidInput ") + error.what();
  } catch (const IoError& error) {
    return std::string("IoError ") + error.what();
  }
  return "nothing thrown";
}

template <class Matrix>
bool same_bits(const Matrix& a, const Matrix& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() &&
         (a.size() == 0 ||
          std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(typename Matrix::Scalar)) == 0);
}

TEST_F(Hdf5Files, ArraysComeBackBitForBit) {
  const Stream stream(1, "hdf5_file_test");
  Eigen::MatrixXd reals = stream.at("large").normal(3, 10000);
  reals(0, 0) = std::numeric_limits<double>::quiet_NaN();
  reals(1, 0) = std::numeric_limits<double>::infinity();
  reals(2, 0) = -0.0;
  const Eigen::MatrixXf floats = reals.cast<float>();
  const Eigen::MatrixXi integers =
      Eigen::MatrixXi::NullaryExpr(3, 20000, [](Index i, Index j) { return static_cast<int>(i - 7 * j); });
  const Vector vector = stream.at("vector").normal(100000, 1);
  Eigen::Array<bool, Eigen::Dynamic, 1> flags(5);
  flags << true, false, true, true, false;
  {
    Hdf5Writer file(path("x.h5"));
    file.write_matrix("/a/b/reals", reals);
    file.write_matrix("/a/floats", floats);
    file.write_matrix("/integers", integers);
    file.write_matrix("/block", reals.block(1, 5, 2, 7));  // not contiguous
    file.write_matrix("/no_columns", Eigen::MatrixXd(3, 0));
    file.write_matrix("/no_rows", Eigen::MatrixXd(0, 4));
    file.write_vector("/vector", vector);
    file.write_vector("/no_values", Vector());
    file.write_flags("/flags", flags);
    file.write_flags("/no_flags", Eigen::Array<bool, Eigen::Dynamic, 1>());
    file.write_number("/number", 0.1);
    file.write_integer("/integer", std::numeric_limits<std::int64_t>::min());
    file.commit();
  }
  const Hdf5Reader file(path("x.h5"));
  EXPECT_TRUE(same_bits(file.matrix("/a/b/reals"), reals));
  EXPECT_TRUE(same_bits(file.matrix("/a/b/reals", 3, 10000), reals));
  EXPECT_TRUE(same_bits(file.float_matrix("/a/floats"), floats));
  EXPECT_TRUE(same_bits(file.integer_matrix("/integers"), integers));
  EXPECT_TRUE(same_bits(file.matrix("/block"), Eigen::MatrixXd(reals.block(1, 5, 2, 7))));
  EXPECT_TRUE(same_bits(file.matrix("/no_columns"), Eigen::MatrixXd(3, 0)));
  EXPECT_TRUE(same_bits(file.matrix("/no_rows"), Eigen::MatrixXd(0, 4)));
  EXPECT_TRUE(same_bits(file.vector("/vector"), vector));
  EXPECT_EQ(file.vector("/no_values").size(), 0);
  EXPECT_TRUE((file.flags("/flags") == flags).all());
  EXPECT_EQ(file.flags("/no_flags").size(), 0);
  EXPECT_EQ(file.number("/number"), 0.1);
  EXPECT_EQ(file.integer("/integer"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(file.shape("/a/b/reals"), (std::vector<Index>{10000, 3}));
  EXPECT_EQ(file.shape("/number"), std::vector<Index>{});
  EXPECT_EQ(file.children("/"), (std::vector<std::string>{"a", "block", "flags", "integer", "integers", "no_columns",
                                                          "no_flags", "no_rows", "no_values", "number", "vector"}));
  EXPECT_EQ(file.datasets("/a"), (std::vector<std::string>{"b/reals", "floats"}));
  EXPECT_TRUE(file.datasets("/none").empty());
  EXPECT_TRUE(file.has("/a/b"));
  EXPECT_TRUE(file.is_group("/a/b"));
  EXPECT_FALSE(file.is_group("/integer"));
  EXPECT_FALSE(file.has("/a/c/d"));
}

TEST_F(Hdf5Files, TextsTablesAndAttributesComeBack) {
  const std::vector<std::string> texts = {"", "one", "σ = 0.1 ✓", std::string(5000, 'x')};
  Hdf5Table table;
  table.columns.emplace_back("name", std::vector<std::string>{"tvd", "", "σ"});
  table.columns.emplace_back("value", std::vector<double>{1.5, -0.0, std::numeric_limits<double>::infinity()});
  table.columns.emplace_back("n", std::vector<std::int64_t>{1, std::numeric_limits<std::int64_t>::max(), -3});
  {
    Hdf5Writer file(path("x.h5"));
    file.write_text("/empty", "");
    file.write_text("/text", "line\nline σ");
    file.write_texts("/texts", texts);
    file.write_texts("/no_texts", {});
    file.write_table("/t/table", table);
    file.write_table("/t/empty", {.columns = {{"name", std::vector<std::string>{}}, {"x", std::vector<double>{}}}});
    file.make_group("/g/h");
    file.make_group("/g");
    file.set_attribute("/", "version", std::int64_t{7});
    file.set_attribute("/g", "sigma", 0.25);
    file.set_attribute("/text", "note", std::string_view("✓"));
    file.set_attribute("/text", "nothing", std::string_view(""));
    file.commit();
  }
  const Hdf5Reader file(path("x.h5"));
  EXPECT_EQ(file.text("/empty"), "");
  EXPECT_EQ(file.text("/text"), "line\nline σ");
  EXPECT_EQ(file.texts("/texts"), texts);
  EXPECT_TRUE(file.texts("/no_texts").empty());
  const Hdf5Table back = file.table("/t/table");
  EXPECT_EQ(back.rows(), 3);
  EXPECT_EQ(back.columns, table.columns);
  EXPECT_EQ(back.numbers("value")[0], 1.5);
  EXPECT_EQ(message_of([&] { static_cast<void>(back.numbers("n")); }), "InvalidInput column n does not hold numbers");
  EXPECT_EQ(message_of([&] { static_cast<void>(back.texts("m")); }), "InvalidInput there is no column m");
  EXPECT_EQ(file.table("/t/empty").rows(), 0);
  EXPECT_TRUE(file.is_group("/g/h"));
  EXPECT_EQ(file.integer_attribute("/", "version"), 7);
  EXPECT_EQ(file.number_attribute("/g", "sigma"), 0.25);
  EXPECT_EQ(file.text_attribute("/text", "note"), "✓");
  EXPECT_EQ(file.text_attribute("/text", "nothing"), "");
  EXPECT_FALSE(file.has_attribute("/g", "other"));
  EXPECT_FALSE(file.has_attribute("/none", "other"));
  EXPECT_EQ(message_of([&] { static_cast<void>(file.number_attribute("/g", "other")); }),
            "InvalidInput " + path("x.h5") + ":/g@other: missing");
}

TEST_F(Hdf5Files, LargeArraysArePackedInChunksOfWholeRows) {
  {
    Hdf5Writer file(path("x.h5"));
    file.write_matrix("/large", Eigen::MatrixXd::Zero(3, 100000));  // 2.4 MB
    file.write_matrix("/wide", Eigen::MatrixXd::Zero(40000, 2));    // a row is longer than the longest chunk
    file.write_matrix("/small", Eigen::MatrixXd::Zero(3, 10));
    file.commit();
  }
  EXPECT_LT(fs::file_size(path("x.h5")), 50000U);
  const hid_t file = H5Fopen(path("x.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  const auto chunk_of = [&](const char* name) {
    const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    const hid_t options = H5Dget_create_plist(dataset);
    std::vector<hsize_t> chunk(2, 0);
    if (H5Pget_layout(options) == H5D_CHUNKED) H5Pget_chunk(options, 2, chunk.data());
    H5Pclose(options);
    H5Dclose(dataset);
    return chunk;
  };
  EXPECT_EQ(chunk_of("/large"), (std::vector<hsize_t>{(256 << 10) / 24, 3}));
  EXPECT_EQ(chunk_of("/wide"), (std::vector<hsize_t>{1, 40000}));
  EXPECT_EQ(chunk_of("/small"), (std::vector<hsize_t>{0, 0}));
  H5Fclose(file);
}

TEST_F(Hdf5Files, EqualContentGivesEqualBytesWhereverItIs) {
  for (const char* name : {"x.h5", "another_name.h5"}) {
    Hdf5Writer file(path(name));
    file.write_matrix("/group/a", Stream(1, "x").normal(3, 5000));
    file.write_text("/text", "t");
    file.set_attribute("/group", "a", 1.0);
    file.commit();
  }
  EXPECT_TRUE(read_file(path("x.h5")) == read_file(path("another_name.h5")));
}

TEST_F(Hdf5Files, NumbersWidenButNeverNarrow) {
  {
    Hdf5Writer file(path("x.h5"));
    file.write_matrix("/real", Eigen::MatrixXd::Constant(2, 3, 0.1));
    file.write_matrix("/float", Eigen::MatrixXf::Constant(2, 3, 0.1F));
    file.write_matrix("/int", Eigen::MatrixXi::Constant(2, 3, -5));
    file.write_integer("/long", std::int64_t{1} << 60);
    file.commit();
  }
  const Hdf5Reader file(path("x.h5"));
  EXPECT_EQ(file.matrix("/float")(0, 0), static_cast<double>(0.1F));
  EXPECT_EQ(file.matrix("/int")(1, 2), -5.0);
  const std::string prefix = "InvalidInput " + path("x.h5");
  EXPECT_EQ(message_of([&] { static_cast<void>(file.float_matrix("/real")); }),
            prefix + ":/real: holds float64, expected float32");
  EXPECT_EQ(message_of([&] { static_cast<void>(file.float_matrix("/int")); }),
            prefix + ":/int: holds int32, expected float32");
  EXPECT_EQ(message_of([&] { static_cast<void>(file.integer_matrix("/float")); }),
            prefix + ":/float: holds float32, expected int32");
  EXPECT_EQ(message_of([&] { static_cast<void>(file.number("/long")); }),
            prefix + ":/long: holds int64, expected float64");
}

TEST_F(Hdf5Files, WrongContentIsNamed) {
  {
    Hdf5Writer file(path("x.h5"));
    file.write_matrix("/m", Eigen::MatrixXd::Zero(2, 3));
    file.write_number("/n", 1);
    file.write_text("/t", "text");
    file.write_table("/r", {.columns = {{"x", std::vector<double>{1}}}});
    file.commit();
  }
  const Hdf5Reader file(path("x.h5"));
  const std::string prefix = "InvalidInput " + path("x.h5");
  EXPECT_EQ(message_of([&] { static_cast<void>(file.vector("/m")); }), prefix + ":/m: is 3×2, expected one axis");
  EXPECT_EQ(message_of([&] { static_cast<void>(file.matrix("/n")); }), prefix + ":/n: is a scalar, expected two axes");
  EXPECT_EQ(message_of([&] { static_cast<void>(file.number("/m")); }), prefix + ":/m: is 3×2, expected a scalar");
  EXPECT_EQ(message_of([&] { static_cast<void>(file.matrix("/m", 5)); }), prefix + ":/m: is 3×2, expected 5 columns");
  EXPECT_EQ(message_of([&] { static_cast<void>(file.matrix("/m", 2, 4)); }), prefix + ":/m: is 3×2, expected 4 rows");
  EXPECT_EQ(message_of([&] { static_cast<void>(file.matrix("/t")); }), prefix + ":/t: holds text, expected float64");
  EXPECT_EQ(message_of([&] { static_cast<void>(file.text("/n")); }), prefix + ":/n: holds float64, expected text");
  EXPECT_EQ(message_of([&] { static_cast<void>(file.vector("/r")); }), prefix + ":/r: holds records, expected float64");
  EXPECT_EQ(message_of([&] { static_cast<void>(file.flags("/n")); }), prefix + ":/n: holds float64, expected boolean");
  EXPECT_EQ(message_of([&] { static_cast<void>(file.matrix("/none/at/all")); }), prefix + ":/none/at/all: missing");
  EXPECT_EQ(message_of([&] { static_cast<void>(file.matrix("/")); }), prefix + ":/: is not a dataset");
}

TEST_F(Hdf5Files, UnreadableFilesGiveOneClearLineAndHdf5PrintsNothing) {
  {
    Hdf5Writer file(path("x.h5"));
    file.write_matrix("/m", Stream(1, "x").normal(3, 10000));
    file.commit();
  }
  const std::string whole = read_file(path("x.h5"));
  write_file(path("half.h5"), std::string_view(whole).substr(0, whole.size() / 2));
  write_file(path("text.h5"), "no HDF5 at all\n");
  write_file(path("empty.h5"), "");
  std::string spoilt = whole;
  spoilt.replace(spoilt.size() / 2, 200, 200, '\xFF');
  write_file(path("spoilt.h5"), spoilt);

  testing::internal::CaptureStderr();
  EXPECT_EQ(message_of([&] { Hdf5Reader file(path("none.h5")); }),
            "InvalidInput " + path("none.h5") + ": no such file");
  EXPECT_EQ(message_of([&] { Hdf5Reader file(directory_.string()); }),
            "InvalidInput " + directory_.string() + ": is a directory, not a file");
  EXPECT_EQ(message_of([&] { Hdf5Reader file(path("text.h5")); }),
            "InvalidInput " + path("text.h5") + ": not an HDF5 file");
  EXPECT_EQ(message_of([&] { Hdf5Reader file(path("empty.h5")); }),
            "InvalidInput " + path("empty.h5") + ": not an HDF5 file");
  const std::string half = message_of([&] { Hdf5Reader file(path("half.h5")); });
  EXPECT_EQ(half.find("IoError " + path("half.h5") + ": cannot open: "), 0U) << half;
  EXPECT_NE(half.find("truncated file"), std::string::npos) << half;
  EXPECT_EQ(half.find('\n'), std::string::npos) << half;
  const std::string inflate = message_of([&] { static_cast<void>(Hdf5Reader(path("spoilt.h5")).matrix("/m")); });
  EXPECT_EQ(inflate.find("IoError " + path("spoilt.h5") + ":/m: cannot read: "), 0U) << inflate;
  EXPECT_NE(inflate.find("inflate"), std::string::npos) << inflate;
  EXPECT_EQ(inflate.find('\n'), std::string::npos) << inflate;
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(Hdf5Files, ClaimsBeyondWhatIsStoredAreNotAllocated) {
  const hid_t file = H5Fcreate(path("x.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hsize_t shape[2] = {hsize_t{1} << 50, 1 << 10};
  const hid_t space = H5Screate_simple(2, shape, nullptr);
  const hid_t options = H5Pcreate(H5P_DATASET_CREATE);
  const hsize_t chunk[2] = {1, 16};
  H5Pset_chunk(options, 2, chunk);
  H5Dclose(H5Dcreate2(file, "m", H5T_IEEE_F64LE, space, H5P_DEFAULT, options, H5P_DEFAULT));
  H5Pclose(options);
  H5Sclose(space);
  H5Fclose(file);
  const std::string message = message_of([&] { static_cast<void>(Hdf5Reader(path("x.h5")).matrix("/m")); });
  EXPECT_EQ(message, "InvalidInput " + path("x.h5") +
                         ":/m: was never written, or in part (0 of 72057594037927936 pieces are there)");
}

TEST_F(Hdf5Files, FilesOfOtherProgramsAreRead) {
  // What h5py writes from Python texts, bytes, big-endian and small types.
  const hid_t file = H5Fcreate(path("x.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const auto write = [&](const char* name, hid_t type, hid_t memory, std::vector<hsize_t> shape, const void* data) {
    const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
    const hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
    H5Dclose(dataset);
    H5Sclose(space);
  };
  const double reals[6] = {1, 2, 3, 4, 5, 6};
  write("big_endian", H5T_IEEE_F64BE, H5T_NATIVE_DOUBLE, {3, 2}, reals);
  const unsigned char bytes[3] = {1, 0, 2};
  write("bytes", H5T_STD_U8LE, H5T_NATIVE_UCHAR, {3}, bytes);
  const hid_t fixed = H5Tcopy(H5T_C_S1);
  H5Tset_size(fixed, 4);
  H5Tset_strpad(fixed, H5T_STR_SPACEPAD);
  write("fixed", fixed, fixed, {2}, "ab  cdef");
  struct Record {
    const char* text;
    std::int16_t number;
    float real;
  };
  const hid_t variable = H5Tcopy(H5T_C_S1);
  H5Tset_size(variable, H5T_VARIABLE);
  const hid_t record = H5Tcreate(H5T_COMPOUND, sizeof(Record));
  H5Tinsert(record, "text", HOFFSET(Record, text), variable);
  H5Tinsert(record, "number", HOFFSET(Record, number), H5T_NATIVE_SHORT);
  H5Tinsert(record, "real", HOFFSET(Record, real), H5T_NATIVE_FLOAT);
  const Record records[2] = {{"one", 1, 0.5F}, {"", -2, 1.5F}};
  write("records", record, record, {2}, records);
  H5Gclose(H5Gcreate2(file, "ring", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Lcreate_hard(file, "/ring", file, "ring/again", H5P_DEFAULT, H5P_DEFAULT);
  H5Tclose(record);
  H5Tclose(variable);
  H5Tclose(fixed);
  H5Fclose(file);

  const Hdf5Reader reader(path("x.h5"));
  EXPECT_EQ(reader.matrix("/big_endian"), (Eigen::MatrixXd(2, 3) << 1, 3, 5, 2, 4, 6).finished());
  EXPECT_EQ(reader.vector("/bytes"), (Vector(3) << 1, 0, 2).finished());
  EXPECT_TRUE(reader.flags("/bytes")(2));
  EXPECT_EQ(reader.texts("/fixed"), (std::vector<std::string>{"ab", "cdef"}));
  const Hdf5Table table = reader.table("/records");
  EXPECT_EQ(table.texts("text"), (std::vector<std::string>{"one", ""}));
  EXPECT_EQ(table.integers("number"), (std::vector<std::int64_t>{1, -2}));
  EXPECT_EQ(table.numbers("real"), (std::vector<double>{0.5, 1.5}));
  EXPECT_THROW(static_cast<void>(reader.datasets("/ring")), InvalidInput);
}

TEST_F(Hdf5Files, UnwritableContentIsRefused) {
  Hdf5Writer file(path("x.h5"));
  file.write_number("/a", 1);
  EXPECT_THROW(file.write_text("/t", std::string_view("a\0b", 3)), InvalidInput);
  EXPECT_THROW(file.write_number("no_slash", 1), InvalidInput);
  EXPECT_THROW(file.write_number("/", 1), InvalidInput);
  EXPECT_THROW(file.write_table("/t", {}), InvalidInput);
  EXPECT_THROW(file.write_table("/t", {.columns = {{"a", std::vector<double>{1}}, {"b", std::vector<double>{}}}}),
               InvalidInput);
  const std::string twice = message_of([&] { file.write_number("/a", 2); });
  EXPECT_EQ(twice.find("IoError " + path("x.h5") + ":/a: cannot create: "), 0U) << twice;
  EXPECT_NE(twice.find("name already exists"), std::string::npos) << twice;
  EXPECT_FALSE(fs::exists(path("x.h5")));
  file.commit();
  EXPECT_EQ(message_of([&] { file.write_number("/b", 2); }), "IoError " + path("x.h5") + ": already committed");
  EXPECT_EQ(Hdf5Reader(path("x.h5")).number("/a"), 1);
}

TEST_F(Hdf5Files, AWriterThatIsGivenUpLeavesNothing) {
  {
    Hdf5Writer file(path("x.h5"));
    file.write_number("/a", 1);
  }
  EXPECT_TRUE(fs::is_empty(directory_));
  Hdf5Writer file("/proc/onmanifold/x.h5");
  EXPECT_THROW(file.commit(), IoError);
}

TEST_F(Hdf5Files, TheDigestFindsEveryChangedByte) {
  {
    Hdf5Writer file(path("x.h5"));
    file.write_matrix("/m", Stream(1, "x").normal(3, 20));
    file.write_text("/looks_like_a_digest", "sha256:" + std::string(64, 'a'));
    file.commit();
  }
  EXPECT_EQ(check_file_digest(path("x.h5")), "");
  EXPECT_EQ(Hdf5Reader(path("x.h5")).text_attribute("/", "file_digest").size(), 71U);
  const std::string whole = read_file(path("x.h5"));
  const std::string changed = path("changed.h5");
  for (std::size_t i = 0; i < whole.size(); i += 97) {  // 97: prime, so every kind of place is met
    std::string copy = whole;
    copy[i] = static_cast<char>(copy[i] ^ 4);
    std::ofstream(changed, std::ios::binary) << copy;  // faster than write_file, which waits for the disk
    EXPECT_NE(check_file_digest(changed), "") << "byte " << i << " of " << whole.size();
  }
  write_file(changed, whole + "x");
  EXPECT_EQ(check_file_digest(changed), changed + ": damaged: the content does not match its digest");
  write_file(changed, "nothing");
  EXPECT_EQ(check_file_digest(changed), changed + ": damaged, or not written by onmanifold: it carries no digest");
  EXPECT_EQ(check_file_digest(path("none.h5")), path("none.h5") + ": no such file");
}

}  // namespace
}  // namespace onmanifold
