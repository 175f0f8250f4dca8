// SPDX-License-Identifier: Apache-2.0
#include "core/files/point_files.hpp"

#include <bit>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "core/files/hdf5_file.hpp"
#include "core/random/stream.hpp"
#include "tests/support/message_of.hpp"

namespace onmanifold {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class PointFiles : public ::testing::Test {
 protected:
  PointFiles() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    directory_ = fs::temp_directory_path() / fmt::format("onmanifold_point_files_{}_{}", test->name(), ::getpid());
    fs::remove_all(directory_);
    fs::create_directories(directory_);
  }
  ~PointFiles() override {
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (directory_ / name).string(); }
  [[nodiscard]] std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& entry : fs::directory_iterator(directory_)) result.push_back(entry.path().filename().string());
    return result;
  }

 private:
  fs::path directory_;
};

/// Points with every kind of double: subnormal, huge, signed zero, infinities, NaN and ordinary ones.
Points awkward_points(Index dimension, Index n) {
  Points points = Stream(1, "point_files").normal(dimension, n);
  const double values[] = {0.1,
                           -0.0,
                           std::numeric_limits<double>::denorm_min(),
                           std::numeric_limits<double>::max(),
                           -std::numeric_limits<double>::infinity(),
                           std::numeric_limits<double>::quiet_NaN(),
                           1e22,
                           -4.9e-322};
  for (Index i = 0; i < std::min<Index>(8, points.size()); ++i) points.data()[i] = values[i];
  return points;
}

bool same_bits(const Points& a, const Points& b) {
  if (a.rows() != b.rows() || a.cols() != b.cols()) return false;
  for (Index i = 0; i < a.size(); ++i) {
    if (std::bit_cast<std::uint64_t>(a.data()[i]) != std::bit_cast<std::uint64_t>(b.data()[i])) return false;
  }
  return true;
}

std::string reading(const std::string& spec) {
  return message_of([&] { (void)read_points(spec); });
}

/// A .npy file put together by hand, as the format's specification says.
std::string npy(const std::string& dictionary, const std::string& data, int major = 1) {
  std::string file = "\x93NUMPY";
  file += static_cast<char>(major);
  file += '\0';
  const std::size_t n = dictionary.size();
  for (int byte = 0; byte < (major == 1 ? 2 : 4); ++byte) file += static_cast<char>((n >> (8 * byte)) & 0xFFU);
  return file + dictionary + data;
}
template <class Scalar>
std::string bytes(std::initializer_list<Scalar> values) {
  return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(Scalar)};
}

TEST_F(PointFiles, RoundTripsAreBitExact) {
  for (const char* name : {"a.npy", "a.csv", "a.h5", "b.h5:inner/points", "c.hdf5"}) {
    for (const auto& [dimension, n] : {std::pair<Index, Index>{3, 50}, {1, 7}, {40, 1}, {2, 20000}}) {
      const Points points = awkward_points(dimension, n);
      write_points(path(name), points);
      EXPECT_TRUE(same_bits(read_points(path(name)), points)) << name << " " << dimension << "x" << n;
    }
  }
}

TEST_F(PointFiles, RoundTripCheckCatchesALostBit) {
  // The broken twin: six digits, as a stream prints them by default.
  const Points points = Stream(1, "twin").normal(2, 3);
  std::string text;
  for (Index j = 0; j < 3; ++j) text += fmt::format("{:.6g},{:.6g}\n", points(0, j), points(1, j));
  EXPECT_FALSE(same_bits(read_points(write("twin.csv", text)), points));
}

TEST_F(PointFiles, PartsOfAMatrixAreWrittenLikeCopies) {
  const Points points = Stream(1, "part").normal(5, 30);
  for (const char* name : {"a.npy", "a.csv", "a.h5"}) {
    write_points(path(name), points.middleRows(1, 3));
    EXPECT_TRUE(same_bits(read_points(path(name)), points.middleRows(1, 3))) << name;
  }
}

TEST_F(PointFiles, EmptySets) {
  write_points(path("a.npy"), Points(3, 0));
  EXPECT_EQ(read_points(path("a.npy")).rows(), 3);
  EXPECT_EQ(read_points(path("a.npy")).cols(), 0);
  EXPECT_THROW(write_points(path("a.csv"), Points(3, 0)), InvalidInput);
}

TEST_F(PointFiles, ReadsInBlocks) {
  const Points points = awkward_points(3, 1000);
  for (const char* name : {"a.npy", "a.csv", "a.h5"}) {
    write_points(path(name), points);
    PointReader reader(path(name));
    EXPECT_EQ(reader.dimension(), 3);
    EXPECT_EQ(reader.size(), 1000);
    Points all(3, 1000);
    Points chunk(3, 77);
    Index done = 0;
    while (const Index n = reader.read(chunk)) {
      all.middleCols(done, n) = chunk.leftCols(n);
      done += n;
    }
    EXPECT_EQ(done, 1000);
    EXPECT_TRUE(same_bits(all, points)) << name;
    Points wrong(2, 5);
    EXPECT_THROW((void)reader.read(wrong), InvalidInput);
    // Into the middle of a larger matrix.
    PointReader again(path(name));
    Points large = Points::Zero(6, 10);
    EXPECT_EQ(again.read(large.middleRows(2, 3)), 10);
    EXPECT_TRUE(same_bits(large.middleRows(2, 3), points.leftCols(10))) << name;
    EXPECT_EQ(large.topRows(2).norm() + large.bottomRows(1).norm(), 0);
  }
}

// --- .npy
// -----------------------------------------------------------------------------------------------------

TEST_F(PointFiles, NpyOfEveryVersionOrderAndWidth) {
  const std::string data = bytes({1.0, 2.0, 3.0, 4.0, 5.0, 6.0});
  const Points expected = (Points(3, 2) << 1, 4, 2, 5, 3, 6).finished();  // two points (1,2,3), (4,5,6)
  for (const int version : {1, 2, 3}) {
    const std::string header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }      \n";
    EXPECT_EQ(read_points(write("v.npy", npy(header, data, version))), expected) << version;
  }
  const std::string fortran = "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }\n";
  EXPECT_EQ(read_points(write("f.npy", npy(fortran, bytes({1.0, 4.0, 2.0, 5.0, 3.0, 6.0})))), expected);
  const std::string narrow = "{\"shape\":(2L,3L),\"fortran_order\":False,\"descr\":\"<f4\"}";
  EXPECT_EQ(read_points(write("n.npy", npy(narrow, bytes({1.F, 2.F, 3.F, 4.F, 5.F, 6.F})))), expected);
  const std::string vector = "{'descr': '<f8', 'fortran_order': False, 'shape': (6,), }\n";
  EXPECT_EQ(read_points(write("d.npy", npy(vector, data))), expected.reshaped(1, 6));
}

TEST_F(PointFiles, NpyOfOtherNumbersIsConverted) {
  const auto read = [&](const std::string& dtype, const std::string& data) {
    return read_points(
        write("k.npy", npy(fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': (2, 1), }}", dtype), data)));
  };
  const Points expected = (Points(1, 2) << -2, 3).finished();
  EXPECT_EQ(read("|i1", bytes<std::int8_t>({-2, 3})), expected);
  EXPECT_EQ(read("<i2", bytes<std::int16_t>({-2, 3})), expected);
  EXPECT_EQ(read(">i2", std::string("\xff\xfe\0\3", 4)), expected);
  EXPECT_EQ(read("<i4", bytes<std::int32_t>({-2, 3})), expected);
  EXPECT_EQ(read("<i8", bytes<std::int64_t>({-2, 3})), expected);
  EXPECT_EQ(read(">i4", std::string("\xff\xff\xff\xfe\0\0\0\3", 8)), expected);
  EXPECT_EQ(read("|u1", std::string("\xfe\3")), (Points(1, 2) << 254, 3).finished());
  EXPECT_EQ(read(">u2", std::string("\xff\xfe\0\3", 4)), (Points(1, 2) << 65534, 3).finished());
  EXPECT_EQ(read("|b1", std::string("\1\0", 2)), (Points(1, 2) << 1, 0).finished());
  EXPECT_EQ(read("<f2", std::string("\x00\xc0\x00\x42", 4)), expected);  // -2 and 3 in binary16
  EXPECT_EQ(read(">f2", std::string("\xc0\x00\x42\x00", 4)), expected);
  EXPECT_EQ(read(">f4", std::string("\xc0\0\0\0\x40\x40\0\0", 8)), expected);
  EXPECT_EQ(read(">f8", std::string("\xc0\0\0\0\0\0\0\0\x40\x08\0\0\0\0\0\0", 16)), expected);
}

TEST_F(PointFiles, NpyFortranOrderInBlocks) {
  const Points points = Stream(1, "fortran").normal(4, 100);
  const Points transposed = points.transpose();
  const std::string data(reinterpret_cast<const char*>(transposed.data()), 3200);
  PointReader reader(write("f.npy", npy("{'descr': '<f8', 'fortran_order': True, 'shape': (100, 4), }\n", data)));
  Points first(4, 30);
  Points second(4, 70);
  EXPECT_EQ(reader.read(first), 30);
  EXPECT_EQ(reader.read(second), 70);
  EXPECT_TRUE(same_bits(first, points.leftCols(30)));
  EXPECT_TRUE(same_bits(second, points.rightCols(70)));
}

TEST_F(PointFiles, NpyErrors) {
  const auto header = [](const std::string& dtype, const std::string& shape) {
    return fmt::format("{{'descr': {}, 'fortran_order': False, 'shape': {}, }}\n", dtype, shape);
  };
  const std::string two = bytes({1.0, 2.0});
  const auto error = [&](const std::string& content) { return reading(write("bad.npy", content)); };
  EXPECT_THAT(error(""), AllOf(HasSubstr("bad.npy"), HasSubstr("\\x93NUMPY")));
  EXPECT_THAT(error("PK\x03\x04 a zip file"), HasSubstr("not a .npy file"));
  EXPECT_THAT(error(npy(header("'<f8'", "(1, 2)"), two, 9)), HasSubstr("version 9.0"));
  EXPECT_THAT(error(std::string("\x93NUMPY\x01\x00\xff", 9)), HasSubstr("truncated .npy header"));
  EXPECT_THAT(error(std::string("\x93NUMPY\x01\x00\xff\x0f{", 11)), HasSubstr("truncated .npy header"));
  EXPECT_THAT(error(npy(header("'<f8'", "(1, 2)"), "1234567")),
              HasSubstr("truncated: 7 bytes of data, shape (1, 2) needs 16"));
  EXPECT_THAT(error(npy(header("'<f8'", "(1, 2)"), two + "x")), HasSubstr("too long: 17 bytes"));
  EXPECT_THAT(error(npy(header("'|O'", "(1, 2)"), two)), HasSubstr("Python objects"));
  EXPECT_THAT(error(npy(header("'<c8'", "(1, 2)"), two)), HasSubstr("dtype '<c8', expected real numbers"));
  EXPECT_THAT(error(npy(header("'<f9'", "(1, 2)"), two)), HasSubstr("dtype '<f9'"));
  for (const std::int64_t large : {std::int64_t{1} << 53, -(std::int64_t{1} << 53)}) {
    EXPECT_EQ(read_points(write("large.npy", npy(header("'<i8'", "(1, 1)"), bytes({large}))))(0),
              static_cast<double>(large));
    EXPECT_THAT(error(npy(header("'<i8'", "(1, 1)"), bytes({large + (large < 0 ? -1 : 1)}))), HasSubstr("beyond 2^53"));
  }
  EXPECT_THAT(error(npy(header("'<i8'", "(1, 1)"), bytes({std::numeric_limits<std::int64_t>::min()}))),
              HasSubstr("-9223372036854775808"));
  EXPECT_THAT(error(npy(header("[('x', '<f8')]", "(2,)"), two)), HasSubstr("array of records"));
  EXPECT_THAT(error(npy(header("'<f8'", "(1, 1, 2)"), two)), HasSubstr("shape (1, 1, 2)"));
  EXPECT_THAT(error(npy(header("'<f8'", "()"), two)), HasSubstr("shape ()"));
  EXPECT_THAT(error(npy(header("'<f8'", "(4294967296, 4294967297)"), two)), HasSubstr("impossible shape"));
  EXPECT_THAT(error(npy(header("'<f8'", "(9223372036854775807, 0)"), "")), HasSubstr("impossible shape"));
  EXPECT_THAT(error(npy(header("'<f8'", "(-1, 2)"), two)), HasSubstr("damaged .npy header"));
  EXPECT_THAT(error(npy("{'descr': '<f8', 'fortran_order': False}", two)), HasSubstr("damaged"));
  EXPECT_THAT(error(npy("{'descr': '<f8', 'fortran_order': Maybe, 'shape': (1, 2)}", two)), HasSubstr("damaged"));
  EXPECT_THAT(error(npy("import os", two)), HasSubstr("damaged"));
  EXPECT_THAT(error(npy("", two)), HasSubstr("damaged"));
}

TEST_F(PointFiles, NpyIsReadByNumpyAndBack) {
  const Points points = awkward_points(3, 9);
  write_points(path("ours.npy"), points);
  // What NumPy would check: magic, aligned data, end of header. Then NumPy itself, where there is one.
  std::ifstream file(path("ours.npy"), std::ios::binary);
  std::string content((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(content.size(), 128U + 27 * 8);
  EXPECT_EQ(content.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  EXPECT_EQ(content[127], '\n');
  EXPECT_THAT(content, HasSubstr("'shape': (9, 3)"));
  const std::string program = write("read.py",
                                    "import sys, numpy\n"
                                    "a = numpy.load(sys.argv[1])\n"
                                    "assert a.shape == (9, 3) and a.dtype == numpy.float64, (a.shape, a.dtype)\n"
                                    "numpy.save(sys.argv[2], numpy.asfortranarray(a))\n");
  if (std::system("/usr/bin/python3 -c 'import numpy' 2>/dev/null") != 0) {
    fmt::print("no NumPy here: only the bytes were checked\n");
    return;
  }
  const std::string command =
      fmt::format("/usr/bin/python3 '{}' '{}' '{}'", program, path("ours.npy"), path("theirs.npy"));
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_TRUE(same_bits(read_points(path("theirs.npy")), points));
}

// --- .csv
// -----------------------------------------------------------------------------------------------------

TEST_F(PointFiles, CsvOfOtherPrograms) {
  const Points expected = (Points(2, 3) << 1, 3, -5, 2, 4.5, 6e-3).finished();
  EXPECT_EQ(read_points(write("plain.csv", "1,2\n3,4.5\n-5,6e-3\n")), expected);
  EXPECT_EQ(read_points(write("no_end.csv", "1,2\n3,4.5\n-5,6e-3")), expected);
  EXPECT_EQ(read_points(write("windows.csv", "\xEF\xBB\xBFx,y\r\n1,2\r\n3,4.5\r\n-5,6e-3\r\n")), expected);
  EXPECT_EQ(read_points(write("spaces.csv", "# made by hand\n\n x , y \n +1 ,\t2\n\n3, 4.5\n\"-5\",6E-3\n")), expected);
  const Points special = read_points(write("special.csv", "nan,inf,-inf,1e-400\n"));
  EXPECT_TRUE(std::isnan(special(0)));
  EXPECT_EQ(special(1), std::numeric_limits<double>::infinity());
  EXPECT_EQ(special(2), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(special(3), 0);
}

TEST_F(PointFiles, CsvWithOtherSeparators) {
  const Points expected = (Points(2, 3) << 1, 3, -5, 2, 4.5, 6e-3).finished();
  EXPECT_EQ(read_points(write("a.csv", "x;y\n1;2\n3;4.5\n-5;6e-3\n")), expected);
  EXPECT_EQ(read_points(write("b.csv", "x\ty\n1\t2\n3\t4.5\n-5\t6e-3\n")), expected);
  EXPECT_EQ(read_points(write("c.csv", " x   y\n 1   2 \n 3  4.5\n-5 6e-3\n")), expected);
  EXPECT_EQ(read_points(write("d.csv", "1;2\n3;4.5\n-5;6e-3")), expected);
  EXPECT_EQ(read_points(write("e.csv", "7 8\n")), (Points(2, 1) << 7, 8).finished());
  const auto error = [&](const std::string& content) { return reading(write("bad.csv", content)); };
  EXPECT_THAT(error("1,5;2,5\n3,5;4,5\n"), HasSubstr("bad.csv: line 2: decimal commas"));
  EXPECT_THAT(error("1,5\t2,5\n"), HasSubstr("line 1: decimal commas"));
  EXPECT_THAT(error("1;2\n3;4\n5,6\n"), HasSubstr("line 3: column 1: '5,6' is not a number"));
}

TEST_F(PointFiles, CsvHeaderOfColumnNumbers) {
  const Points expected = (Points(2, 2) << 1.5, 3, 2, 4.5).finished();
  EXPECT_EQ(read_points(write("a.csv", "0,1\n1.5,2\n3,4.5\n")), expected);
  EXPECT_EQ(read_points(write("b.csv", "0;1\n1.5;2\n3;4.5\n")), expected);
  EXPECT_EQ(read_points(write("c.csv", "0\n1.5\n")), Points::Constant(1, 1, 1.5));
  // Broken twins: points, not headers.
  EXPECT_EQ(read_points(write("d.csv", "0,1\n1,0\n")).cols(), 2) << "whole numbers";
  EXPECT_EQ(read_points(write("e.csv", "0,1.0\n1.5,2\n")).cols(), 2);
  EXPECT_EQ(read_points(write("f.csv", "1,2\n1.5,2\n")).cols(), 2);
  EXPECT_EQ(read_points(write("g.csv", "0,1\n")).cols(), 1) << "alone";
}

TEST_F(PointFiles, PipesAndDevicesAreRefusedAtOnce) {
  for (const char* name : {"pipe.npy", "pipe.csv", "pipe.h5"}) {
    ASSERT_EQ(mkfifo(path(name).c_str(), 0600), 0);
    EXPECT_THAT(reading(path(name)), HasSubstr("not a regular file")) << name;
    fs::remove(path(name));
    fs::create_symlink("/dev/zero", path(name));
    EXPECT_THAT(reading(path(name)), HasSubstr("not a regular file")) << name;
  }
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_THAT(message_of([&] { (void)read_file(path("pipe")); }), HasSubstr("not a regular file"));
}

TEST_F(PointFiles, CsvLongLinesAndManyLines) {
  // Lines longer than the read buffer, and a buffer that ends inside a line.
  const Points wide = Stream(1, "wide").normal(30000, 3);
  write_points(path("wide.csv"), wide);
  EXPECT_TRUE(same_bits(read_points(path("wide.csv")), wide));
  const Points tall = Stream(1, "tall").normal(2, 30000);
  write_points(path("tall.csv"), tall);
  EXPECT_TRUE(same_bits(read_points(path("tall.csv")), tall));
}

TEST_F(PointFiles, CsvErrorsNameLineAndColumn) {
  const auto error = [&](const std::string& content) { return reading(write("bad.csv", content)); };
  EXPECT_THAT(error("x,y\n1,2\n\n3,four\n"), HasSubstr("bad.csv: line 4: column 2: 'four' is not a number"));
  EXPECT_THAT(error("1,2\n3\n"), HasSubstr("line 2: 1 columns, expected 2"));
  EXPECT_THAT(error("1,2\n3,4,5\n"), HasSubstr("line 2: 3 columns, expected 2"));
  EXPECT_THAT(error("1,2\n3,\n"), HasSubstr("line 2: column 2: '' is not a number"));
  EXPECT_THAT(error("1,two\n"), HasSubstr("line 1: column 2: 'two'"));
  EXPECT_THAT(error("1,2\n1e999,2\n"), HasSubstr("line 2: column 1: '1e999' is too large"));
  EXPECT_THAT(error("1,2\n1.5x,2\n"), HasSubstr("'1.5x' is not a number"));
  EXPECT_THAT(error("1,2\n+-3,2\n"), HasSubstr("'+-3' is not a number"));
  EXPECT_THAT(error("1\n" + std::string(1000, 'a') + "\n"), AllOf(HasSubstr("aaa…"), HasSubstr("line 2")));
  EXPECT_THAT(error(""), HasSubstr("no numbers"));
  EXPECT_THAT(error("x,y\n"), HasSubstr("no numbers"));
  EXPECT_THAT(error(std::string("\0\0\0\n1,2\n", 8)), HasSubstr("line 2: 2 columns, expected 1"));
}

// --- .h5
// ------------------------------------------------------------------------------------------------------

TEST_F(PointFiles, Hdf5DatasetsOfOtherShapes) {
  Hdf5Writer file(path("a.h5"));
  file.write_vector("/numbers", Vector::LinSpaced(5, 0, 4));
  file.write_matrix("/deep/narrow", Eigen::MatrixXf(Eigen::MatrixXf::Constant(2, 3, 0.5F)));
  file.write_matrix("/whole", Eigen::MatrixXi(Eigen::MatrixXi::Constant(4, 2, 7)));
  file.write_number("/scalar", 1);
  file.write_text("/text", "no numbers");
  file.commit();
  EXPECT_EQ(read_points(path("a.h5:numbers")), Points(Vector::LinSpaced(5, 0, 4).transpose()));
  EXPECT_EQ(read_points(path("a.h5:/deep/narrow")), Points::Constant(2, 3, .5));
  EXPECT_EQ(read_points(path("a.h5:whole")), Points::Constant(4, 2, 7));
  EXPECT_THAT(reading(path("a.h5")), AllOf(HasSubstr("no dataset 'samples'"), HasSubstr("deep/narrow")));
  EXPECT_THAT(reading(path("a.h5:deep")), HasSubstr("no dataset 'deep'"));
  EXPECT_THAT(reading(path("a.h5:scalar")), HasSubstr("shape ()"));
  EXPECT_THAT(reading(path("a.h5:")), HasSubstr("no dataset named"));
  EXPECT_THAT(reading(path("a.h5:text")), HasSubstr("a.h5:text"));
  EXPECT_THAT(reading(write("b.h5", "not HDF5 at all")), HasSubstr("b.h5"));
}

// --- names and failures
// ---------------------------------------------------------------------------------------

TEST_F(PointFiles, UnknownAndMissingFiles) {
  EXPECT_THAT(reading("a.txt"), AllOf(HasSubstr("a.txt"), HasSubstr("known: .npy, .csv, .h5[:dataset]")));
  EXPECT_THAT(message_of([&] { write_points(path("a.parquet"), Points::Ones(1, 1)); }), HasSubstr("known: .npy"));
  for (const char* name : {"none.npy", "none.csv", "none.h5"}) {
    EXPECT_THAT(reading(path(name)), AllOf(HasSubstr(name), HasSubstr("no such file"))) << name;
  }
  fs::create_directory(path("folder.npy"));
  EXPECT_THAT(reading(path("folder.npy")), HasSubstr("not a regular file"));
}

TEST_F(PointFiles, AFullDiskLeavesNothingBehind) {
  const Points points = Points::Ones(3, 5000);
  struct rlimit before {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  for (const char* name : {"a.npy", "a.csv", "a.h5"}) {
    // A limit on the size of files is what a full disk looks like to a writer.
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = before;
    limit.rlim_cur = 1024;
    std::string message;
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    try {
      write_points(path(name), points);
    } catch (const IoError& error) {
      message = error.what();
    }
    setrlimit(RLIMIT_FSIZE, &before);
    (void)std::signal(SIGXFSZ, handler);
    EXPECT_THAT(message, HasSubstr(name));
  }
  EXPECT_THAT(names(), ::testing::IsEmpty());
}

TEST_F(PointFiles, AFailedWriteKeepsTheOldFile) {
  const Points old = Points::Constant(2, 4, 1.5);
  write_points(path("a.npy"), old);
  EXPECT_THROW(write_points(path("a.npy/b.npy"), old), IoError);
  EXPECT_TRUE(same_bits(read_points(path("a.npy")), old));
  write_points(path("a.npy"), 2 * old);
  EXPECT_TRUE(same_bits(read_points(path("a.npy")), 2 * old));
  write_points(path("new/folder/a.npy"), old);
  EXPECT_TRUE(fs::exists(path("new/folder/a.npy")));
}

}  // namespace
}  // namespace onmanifold
