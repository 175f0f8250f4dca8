// SPDX-License-Identifier: Apache-2.0
#include "core/files/point_files.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <hdf5.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "core/files/hdf5_file.hpp"

namespace onmanifold {

class PointReader::Source {
 public:
  virtual ~Source() = default;
  [[nodiscard]] virtual Index dimension() const = 0;
  [[nodiscard]] virtual Index size() const = 0;
  /// Points \p first … first + chunk.cols() - 1, which exist; called in order without gaps.
  virtual void read(Index first, Eigen::Ref<Points> chunk) = 0;

  Index position = 0;
};

namespace {

static_assert(std::endian::native == std::endian::little, "the binary formats here are little-endian");

using Source = PointReader::Source;

// --- names
// ----------------------------------------------------------------------------------------------------

enum class Format { npy, csv, hdf5 };

constexpr std::array<std::string_view, 2> hdf5_extensions = {".h5", ".hdf5"};

struct Spec {
  Format format;
  std::string path;
  std::string dataset;  // HDF5 only
};

Spec parse_spec(const std::string& spec) {
  const PointFileName name = split_point_file_name(spec);
  if (name.dataset && name.dataset->empty()) {
    throw InvalidInput(fmt::format("{}: no dataset named after the colon", spec));
  }
  if (std::any_of(hdf5_extensions.begin(), hdf5_extensions.end(),
                  [&](std::string_view extension) { return name.path.ends_with(extension); })) {
    return {Format::hdf5, name.path, name.dataset.value_or("samples")};
  }
  if (spec.ends_with(".npy")) return {Format::npy, spec, ""};
  if (spec.ends_with(".csv")) return {Format::csv, spec, ""};
  throw InvalidInput(fmt::format("{}: not a known kind of file (known: .npy, .csv, .h5[:dataset])", spec));
}

// --- files
// ----------------------------------------------------------------------------------------------------

class File {
 public:
  // O_NONBLOCK: a named pipe is refused, not waited for.
  explicit File(const std::string& path)
      : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (descriptor_ < 0) {
      if (errno == ENOENT || errno == ENOTDIR) throw InvalidInput(fmt::format("{}: no such file", path));
      fail("open");
    }
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0) {
      const int error = errno;
      ::close(descriptor_);
      errno = error;
      fail("read");
    }
    if (!S_ISREG(status.st_mode)) {
      ::close(descriptor_);
      throw InvalidInput(fmt::format("{}: not a regular file", path));
    }
    size_ = static_cast<std::uint64_t>(status.st_size);
  }
  ~File() { ::close(descriptor_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  /// Up to \p bytes from \p offset; less only at the end of the file.
  std::size_t read_some(void* data, std::size_t bytes, std::uint64_t offset) const {
    std::size_t done = 0;
    while (done < bytes) {
      const ssize_t got =
          ::pread(descriptor_, static_cast<char*>(data) + done, bytes - done, static_cast<off_t>(offset + done));
      if (got < 0) {
        if (errno == EINTR) continue;
        fail("read");
      }
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }
  void read(void* data, std::size_t bytes, std::uint64_t offset) const {
    if (read_some(data, bytes, offset) != bytes) throw InvalidInput(fmt::format("{}: truncated", path_));
  }

 private:
  [[noreturn]] void fail(std::string_view operation) const {
    throw IoError(fmt::format("{}: cannot {}: {}", path_, operation, std::system_category().message(errno)));
  }

  std::string path_;
  int descriptor_;
  std::uint64_t size_ = 0;
};

// --- .npy
// -----------------------------------------------------------------------------------------------------

constexpr std::string_view npy_magic = "\x93NUMPY";

struct NpyHeader {
  std::string dtype;
  bool fortran_order = false;
  std::vector<std::uint64_t> shape;
};

// The header is the text of a Python dictionary with the three keys descr, fortran_order and shape, in any
// order.
class NpyHeaderParser {
 public:
  NpyHeaderParser(std::string_view text, const std::string& path) : text_(text), path_(path) {}

  NpyHeader parse() {
    NpyHeader header;
    bool has_dtype = false;
    bool has_order = false;
    bool has_shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string key = string();
      expect(':');
      if (key == "descr" && !has_dtype) {
        has_dtype = true;
        if (peek() == '[') throw InvalidInput(fmt::format("{}: an array of records, expected numbers", path_));
        header.dtype = string();
      } else if (key == "fortran_order" && !has_order) {
        has_order = true;
        header.fortran_order = boolean();
      } else if (key == "shape" && !has_shape) {
        has_shape = true;
        header.shape = tuple();
      } else {
        damaged();
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    if (peek() != '\0' || !has_dtype || !has_order || !has_shape) damaged();
    return header;
  }

 private:
  [[noreturn]] void damaged() const {
    throw InvalidInput(fmt::format("{}: damaged .npy header, at byte {} of its dictionary", path_, at_));
  }
  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) damaged();
  }
  std::string string() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') damaged();
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) damaged();
    std::string result(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return result;
  }
  bool boolean() {
    (void)peek();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(at_).starts_with(word)) {
        at_ += word.size();
        return value;
      }
    }
    damaged();
  }
  std::vector<std::uint64_t> tuple() {
    std::vector<std::uint64_t> result;
    expect('(');
    while (!accept(')')) {
      (void)peek();
      std::uint64_t value = 0;
      const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
      if (error != std::errc{}) damaged();
      at_ = static_cast<std::size_t>(end - text_.data());
      accept('L');  // Python 2 wrote long integers so
      result.push_back(value);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return result;
  }

  std::string_view text_;
  const std::string& path_;
  std::size_t at_ = 0;
};

class NpySource : public Source {
 public:
  explicit NpySource(const std::string& path) : file_(path) {
    const NpyHeader header = read_header();
    kind_ = number_kind(header.dtype);
    if (header.shape.empty() || header.shape.size() > 2) {
      throw InvalidInput(fmt::format("{}: shape ({}), expected (N, D) or (N,)", path, fmt::join(header.shape, ", ")));
    }
    const std::uint64_t rows = header.shape[0];
    const std::uint64_t columns = header.shape.size() == 2 ? header.shape[1] : 1;
    std::uint64_t bytes = 0;
    if (__builtin_mul_overflow(rows, columns, &bytes) || __builtin_mul_overflow(bytes, kind_.bytes, &bytes) ||
        bytes > std::uint64_t{1} << 62U || rows > std::uint64_t{1} << 62U || columns > std::uint64_t{1} << 62U) {
      throw InvalidInput(fmt::format("{}: impossible shape ({})", path, fmt::join(header.shape, ", ")));
    }
    const std::uint64_t present = file_.size() - data_;
    if (present != bytes) {
      throw InvalidInput(fmt::format("{}: {}: {} bytes of data, shape ({}) needs {}", path,
                                     present < bytes ? "truncated" : "too long", present, fmt::join(header.shape, ", "),
                                     bytes));
    }
    size_ = static_cast<Index>(rows);
    dimension_ = static_cast<Index>(columns);
    fortran_ = header.fortran_order;
  }

  [[nodiscard]] Index dimension() const override { return dimension_; }
  [[nodiscard]] Index size() const override { return size_; }

  void read(Index first, Eigen::Ref<Points> chunk) override {
    if (!fortran_) {
      // Whole columns, straight into place where type and stride allow it.
      if (chunk.outerStride() == dimension_) {
        numbers(chunk.data(), chunk.size(), first * dimension_);
      } else {
        for (Index j = 0; j < chunk.cols(); ++j) numbers(&chunk(0, j), dimension_, (first + j) * dimension_);
      }
      return;
    }
    Vector row(chunk.cols());
    for (Index i = 0; i < dimension_; ++i) {
      numbers(row.data(), row.size(), i * size_ + first);
      chunk.row(i) = row.transpose();
    }
  }

 private:
  NpyHeader read_header() {
    std::array<unsigned char, 12> head{};
    const std::size_t got = file_.read_some(head.data(), head.size(), 0);
    if (got < npy_magic.size() || std::memcmp(head.data(), npy_magic.data(), npy_magic.size()) != 0) {
      throw InvalidInput(fmt::format("{}: not a .npy file: it does not start with \\x93NUMPY", file_.path()));
    }
    const unsigned major = head[6];
    if (got >= 8 && (major < 1 || major > 3)) {
      throw InvalidInput(
          fmt::format("{}: .npy format version {}.{}, known are 1, 2 and 3", file_.path(), major, head[7]));
    }
    const std::size_t start = major == 1 ? 10 : 12;
    if (got < start) throw InvalidInput(fmt::format("{}: truncated .npy header", file_.path()));
    std::uint64_t length = head[8] | (unsigned{head[9]} << 8U);
    if (major > 1) length |= (std::uint64_t{head[10]} << 16U) | (std::uint64_t{head[11]} << 24U);
    data_ = start + length;
    if (data_ > file_.size()) throw InvalidInput(fmt::format("{}: truncated .npy header", file_.path()));
    constexpr std::uint64_t longest = 1U << 20U;  // a header of numbers needs about a hundred bytes
    if (length > longest) throw InvalidInput(fmt::format("{}: .npy header of {} bytes", file_.path(), length));
    std::string text(length, '\0');
    file_.read(text.data(), text.size(), start);
    return NpyHeaderParser(text, file_.path()).parse();
  }

  // \p count numbers of the array from number \p first on, widened to double.
  void numbers(double* out, Index count, Index first) const {
    const std::uint64_t offset = data_ + static_cast<std::uint64_t>(first) * kind_.bytes;
    if (kind_.letter == 'f' && kind_.bytes == 8 && !kind_.swap) {
      file_.read(out, static_cast<std::size_t>(count) * 8, offset);
      return;
    }
    constexpr Index block = 16384;
    std::string raw(static_cast<std::size_t>(std::min(count, block)) * kind_.bytes, '\0');
    for (Index done = 0; done < count; done += block) {
      const Index n = std::min(block, count - done);
      file_.read(raw.data(), static_cast<std::size_t>(n) * kind_.bytes,
                 offset + static_cast<std::uint64_t>(done) * kind_.bytes);
      for (Index i = 0; i < n; ++i) out[done + i] = widened(raw.data() + static_cast<std::size_t>(i) * kind_.bytes);
    }
  }

  // What a dtype says of one number.
  struct NumberKind {
    char letter = 'f';  // f: floating point, i: integer, u: without sign, b: boolean
    std::uint64_t bytes = 8;
    bool swap = false;  // big-endian
  };

  [[nodiscard]] NumberKind number_kind(std::string_view dtype) const {
    if (dtype.find('O') != std::string_view::npos) {
      throw InvalidInput(fmt::format("{}: an array of Python objects, expected numbers", file_.path()));
    }
    if (dtype.size() == 3 && std::string_view("<>|=").find(dtype[0]) != std::string_view::npos) {
      const NumberKind kind{dtype[1], static_cast<std::uint64_t>(dtype[2] - '0'), dtype[0] == '>'};
      const bool whole = (kind.letter == 'i' || kind.letter == 'u') &&
                         (kind.bytes == 1 || kind.bytes == 2 || kind.bytes == 4 || kind.bytes == 8);
      const bool real = kind.letter == 'f' && (kind.bytes == 2 || kind.bytes == 4 || kind.bytes == 8);
      if (whole || real || (kind.letter == 'b' && kind.bytes == 1)) return kind;
    }
    throw InvalidInput(fmt::format("{}: dtype '{}', expected real numbers: float16, float32, float64, integers or bool",
                                   file_.path(), dtype));
  }

  template <class T>
  static T number_at(const char* bytes) {
    T value;
    std::memcpy(&value, bytes, sizeof(T));
    return value;
  }

  // One number of the file as a double. An integer that is no double is refused rather than rounded.
  [[nodiscard]] double widened(const char* bytes) const {
    std::array<char, 8> raw{};
    for (std::size_t i = 0; i < raw.size() && i < kind_.bytes; ++i) {
      raw[i] = bytes[kind_.swap ? kind_.bytes - 1 - i : i];
    }
    if (kind_.letter == 'f') {
      if (kind_.bytes == 8) return number_at<double>(raw.data());
      if (kind_.bytes == 4) return static_cast<double>(number_at<float>(raw.data()));
      return static_cast<double>(static_cast<float>(number_at<Eigen::half>(raw.data())));
    }
    const auto bits = number_at<std::uint64_t>(raw.data());  // zeros above what was read
    const auto shift = static_cast<unsigned>(64 - 8 * kind_.bytes);
    const auto integer = static_cast<std::int64_t>(bits << shift) >> shift;
    const bool is_signed = kind_.letter == 'i';
    const std::uint64_t size = !is_signed ? bits : (integer < 0 ? 0 - static_cast<std::uint64_t>(integer) : bits);
    if (size > std::uint64_t{1} << 53U) {
      throw InvalidInput(fmt::format("{}: the integer {}{} is beyond 2^53 and no float64", file_.path(),
                                     is_signed && integer < 0 ? "-" : "", size));
    }
    return is_signed ? static_cast<double>(integer) : static_cast<double>(bits);
  }

  File file_;
  std::uint64_t data_ = 0;  // offset of the first number
  NumberKind kind_;
  Index dimension_ = 0;
  Index size_ = 0;
  bool fortran_ = false;
};

void write_npy(const std::string& path, const PointsRef& points) {
  std::string header =
      fmt::format("{{'descr': '<f8', 'fortran_order': False, 'shape': ({}, {}), }}", points.cols(), points.rows());
  const std::size_t before = npy_magic.size() + 4;
  header.append(63 - (before + header.size()) % 64, ' ');  // data start at a multiple of 64 bytes
  header += '\n';
  std::string start(npy_magic);
  start += {'\x01', '\x00', static_cast<char>(header.size() & 0xFFU), static_cast<char>(header.size() >> 8U)};
  AtomicFile file(path);
  file.write(start + header);
  if (points.outerStride() == points.rows()) {
    file.write(points.data(), static_cast<std::size_t>(points.size()) * sizeof(double));
  } else {
    const Points packed = points;
    file.write(packed.data(), static_cast<std::size_t>(packed.size()) * sizeof(double));
  }
  file.commit();
}

// --- .csv
// -----------------------------------------------------------------------------------------------------

// Lines of a file of any size.
class LineReader {
 public:
  explicit LineReader(const File& file) : file_(file) {}

  /// The next line without its end (LF or CR LF). False at the end of the file.
  bool next(std::string_view& line) {
    while (true) {
      const std::size_t end = std::string_view(buffer_).find('\n', scanned_);
      if (end != std::string_view::npos) {
        line = std::string_view(buffer_).substr(start_, end - start_);
        start_ = scanned_ = end + 1;
        break;
      }
      if (at_end_) {
        if (start_ == buffer_.size()) return false;
        line = std::string_view(buffer_).substr(start_);
        start_ = scanned_ = buffer_.size();
        break;
      }
      buffer_.erase(0, start_);
      start_ = 0;
      scanned_ = buffer_.size();
      constexpr std::size_t block = 1U << 18U;
      buffer_.resize(scanned_ + block);
      const std::size_t got = file_.read_some(buffer_.data() + scanned_, block, offset_);
      buffer_.resize(scanned_ + got);
      offset_ += got;
      at_end_ = got < block;
    }
    ++number_;
    if (number_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return true;
  }
  /// Number of the line that next() gave, from 1.
  [[nodiscard]] Index number() const { return number_; }

 private:
  const File& file_;
  std::string buffer_;
  std::size_t start_ = 0;
  std::size_t scanned_ = 0;
  std::uint64_t offset_ = 0;
  bool at_end_ = false;
  Index number_ = 0;
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Calls visit(field) for every field of a line. Fields are split by \p separator; by a space: by any number of them.
template <class Visit>
void for_each_field(std::string_view line, char separator, const Visit& visit) {
  if (separator == ' ' || separator == '\t') line = trimmed(line);
  while (true) {
    const std::size_t end = separator == ' ' ? line.find_first_of(" \t") : line.find(separator);
    std::string_view field = trimmed(line.substr(0, end));
    if (field.size() >= 2 && field.front() == '"' && field.back() == '"') field = field.substr(1, field.size() - 2);
    visit(field);
    if (end == std::string_view::npos) return;
    line.remove_prefix(end + 1);
    if (separator == ' ') line = trimmed(line);
  }
}

enum class NumberError { none, not_a_number, too_large };

NumberError parse_number(std::string_view field, double& value) {
  if (field.starts_with('+') && field.size() > 1 && field[1] != '-') field.remove_prefix(1);
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (end != field.data() + field.size() || field.empty()) return NumberError::not_a_number;
  if (error == std::errc::result_out_of_range) {
    // Too large, or so small that the nearest double is subnormal or zero: the latter is a value like any
    // other.
    value = std::strtod(std::string(field).c_str(), nullptr);
    return std::isinf(value) ? NumberError::too_large : NumberError::none;
  }
  return error == std::errc{} ? NumberError::none : NumberError::not_a_number;
}

class CsvSource : public Source {
 public:
  explicit CsvSource(const std::string& path) : file_(path), lines_(file_) {
    LineReader lines(file_);
    std::string_view line;
    std::vector<std::string> start;  // the first two lines say how the rest is to be read
    Index first_line = 0;
    while (lines.next(line)) {
      if (skipped(line)) continue;
      ++size_;
      if (start.empty()) first_line = lines.number();
      if (start.size() < 2) start.emplace_back(line);
      if (start.size() == 2 && size_ == 2) separator_ = separator_of(start.back(), lines.number());
    }
    if (start.size() == 1) separator_ = separator_of(start.front(), first_line);
    if (!start.empty()) {
      for_each_field(start.front(), separator_, [&](std::string_view) { ++dimension_; });
      if (is_header(start)) {
        header_line_ = first_line;
        --size_;
      }
    }
    if (size_ == 0) throw InvalidInput(fmt::format("{}: no numbers in it", path));
  }

  [[nodiscard]] Index dimension() const override { return dimension_; }
  [[nodiscard]] Index size() const override { return size_; }

  void read(Index /*first*/, Eigen::Ref<Points> chunk) override {
    std::string_view line;
    for (Index j = 0; j < chunk.cols(); ++j) {
      do {
        if (!lines_.next(line)) throw InvalidInput(fmt::format("{}: became shorter while it was read", file_.path()));
      } while (skipped(line) || lines_.number() == header_line_);
      Index column = 0;
      for_each_field(line, separator_, [&](std::string_view field) {
        ++column;
        if (column > dimension_) return;
        const NumberError error = parse_number(field, chunk(column - 1, j));
        if (error == NumberError::none) return;
        constexpr std::size_t shown = 40;
        throw InvalidInput(fmt::format("{}: line {}: column {}: '{}{}' is {}", file_.path(), lines_.number(), column,
                                       field.substr(0, shown), field.size() > shown ? "…" : "",
                                       error == NumberError::too_large ? "too large" : "not a number"));
      });
      if (column != dimension_) {
        throw InvalidInput(
            fmt::format("{}: line {}: {} columns, expected {}", file_.path(), lines_.number(), column, dimension_));
      }
    }
  }

 private:
  static bool all_numbers(std::string_view line, char separator) {
    bool all = true;
    for_each_field(line, separator, [&](std::string_view field) {
      double ignored = 0;
      all = all && parse_number(field, ignored) != NumberError::not_a_number;
    });
    return all;
  }

  // What stands between the numbers of a line: the first of these that leaves numbers only; a comma if none does.
  [[nodiscard]] char separator_of(const std::string& line, Index number) const {
    const std::string_view text = trimmed(line);
    constexpr std::string_view separators = ",;\t ";
    for (const char separator : separators) {
      if (text.find(separator) != std::string_view::npos && all_numbers(line, separator)) return separator;
    }
    std::string points = line;
    std::replace(points.begin(), points.end(), ',', '.');
    for (const char separator : separators.substr(1)) {
      if (points != line && text.find(separator) != std::string_view::npos && all_numbers(points, separator)) {
        throw InvalidInput(
            fmt::format("{}: line {}: decimal commas; write numbers with a decimal point", file_.path(), number));
      }
    }
    return ',';
  }

  // Names of columns: no number among them; or 0, 1, … D-1, as pandas counts columns without names, above numbers that
  // are not whole (of whole ones it may be a point).
  [[nodiscard]] bool is_header(const std::vector<std::string>& start) const {
    Index column = 0;
    Index numbers = 0;
    bool counts = true;
    for_each_field(start.front(), separator_, [&](std::string_view field) {
      double ignored = 0;
      numbers += parse_number(field, ignored) == NumberError::not_a_number ? 0 : 1;
      counts = counts && field == std::to_string(column++);
    });
    if (numbers == 0) return true;
    return counts && start.size() == 2 && start.back().find_first_of(".eEnN") != std::string::npos &&
           all_numbers(start.back(), separator_);
  }

  static bool skipped(std::string_view line) {
    const std::string_view text = trimmed(line);
    return text.empty() || text.front() == '#';
  }

  File file_;
  LineReader lines_;
  Index dimension_ = 0;
  Index size_ = 0;
  Index header_line_ = 0;  // 0: none
  char separator_ = ',';
};

void write_csv(const std::string& path, const PointsRef& points) {
  if (points.size() == 0) throw InvalidInput(fmt::format("{}: .csv cannot hold an empty set of points", path));
  AtomicFile file(path);
  fmt::memory_buffer text;
  for (Index j = 0; j < points.cols(); ++j) {
    for (Index i = 0; i < points.rows(); ++i) {
      if (i > 0) text.push_back(',');
      fmt::format_to(std::back_inserter(text), "{}", points(i, j));
    }
    text.push_back('\n');
    if (text.size() > (1U << 18U)) {
      file.write(text.data(), text.size());
      text.clear();
    }
  }
  file.write(text.data(), text.size());
  file.commit();
}

// --- .h5
// ------------------------------------------------------------------------------------------------------

// An HDF5 identifier with the function that closes it.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  [[nodiscard]] hid_t id() const { return id_; }
  [[nodiscard]] bool valid() const { return id_ >= 0; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

// Hdf5Reader finds what is wrong with the file and says it; the identifiers here serve the reading in pieces.
class Hdf5Source : public Source {
 public:
  Hdf5Source(const std::string& path, const std::string& dataset)
      : where_(fmt::format("{}:{}", path, dataset)),
        shape_(checked_shape(path, dataset)),
        file_(open_unlocked(path), H5Fclose),
        dataset_(file_.valid() ? H5Dopen2(file_.id(), dataset.c_str(), H5P_DEFAULT) : -1, H5Dclose) {
    if (!dataset_.valid()) throw IoError(fmt::format("{}: cannot open", where_));
    const Handle type(H5Dget_type(dataset_.id()), H5Tclose);
    const H5T_class_t kind = H5Tget_class(type.id());
    if (kind != H5T_FLOAT && kind != H5T_INTEGER)
      throw InvalidInput(fmt::format("{}: not a dataset of numbers", where_));
  }

  [[nodiscard]] Index dimension() const override { return shape_.size() == 2 ? shape_[1] : 1; }
  [[nodiscard]] Index size() const override { return shape_[0]; }

  void read(Index first, Eigen::Ref<Points> chunk) override {
    if (chunk.outerStride() != chunk.rows()) {
      Points packed(chunk.rows(), chunk.cols());
      read(first, packed);
      chunk = packed;
      return;
    }
    if (chunk.size() == 0) return;
    const std::array<hsize_t, 2> start = {static_cast<hsize_t>(first), 0};
    const std::array<hsize_t, 2> count = {static_cast<hsize_t>(chunk.cols()), static_cast<hsize_t>(chunk.rows())};
    const Handle file_space(H5Dget_space(dataset_.id()), H5Sclose);
    const Handle memory_space(H5Screate_simple(static_cast<int>(shape_.size()), count.data(), nullptr), H5Sclose);
    if (!file_space.valid() || !memory_space.valid() ||
        H5Sselect_hyperslab(file_space.id(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr) < 0 ||
        H5Dread(dataset_.id(), H5T_NATIVE_DOUBLE, memory_space.id(), file_space.id(), H5P_DEFAULT, chunk.data()) < 0) {
      throw IoError(fmt::format("{}: cannot read points {} to {}", where_, first, first + chunk.cols() - 1));
    }
  }

 private:
  static std::vector<Index> checked_shape(const std::string& path, const std::string& dataset) {
    const Hdf5Reader reader(path);
    if (!reader.has(dataset) || reader.is_group(dataset)) {
      throw InvalidInput(
          fmt::format("{}: no dataset '{}' (datasets: {})", path, dataset, fmt::join(reader.datasets("/"), ", ")));
    }
    std::vector<Index> shape = reader.shape(dataset);
    if (shape.empty() || shape.size() > 2) {
      throw InvalidInput(
          fmt::format("{}:{}: shape ({}), expected (N, D) or (N)", path, dataset, fmt::join(shape, ", ")));
    }
    return shape;
  }

  // Without a lock, like Hdf5Reader: HDF5 refuses one file under two settings.
  static hid_t open_unlocked(const std::string& path) {
    const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    H5Pset_file_locking(access.id(), 0, 1);
    return H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id());
  }

  std::string where_;
  std::vector<Index> shape_;
  Handle file_;
  Handle dataset_;
};

std::unique_ptr<Source> open_source(const std::string& text) {
  const Spec spec = parse_spec(text);
  switch (spec.format) {
    case Format::npy:
      return std::make_unique<NpySource>(spec.path);
    case Format::csv:
      return std::make_unique<CsvSource>(spec.path);
    default:
      return std::make_unique<Hdf5Source>(spec.path, spec.dataset);
  }
}

}  // namespace

PointFileName split_point_file_name(const std::string& spec) {
  for (const std::string_view extension : hdf5_extensions) {
    if (spec.ends_with(extension)) break;
    if (const std::size_t at = spec.rfind(std::string(extension) + ":"); at != std::string::npos) {
      const std::size_t colon = at + extension.size();
      return {.path = spec.substr(0, colon), .dataset = spec.substr(colon + 1)};
    }
  }
  return {.path = spec, .dataset = {}};
}

PointReader::PointReader(const std::string& spec) : source_(open_source(spec)) {}
PointReader::~PointReader() = default;
PointReader::PointReader(PointReader&&) noexcept = default;
PointReader& PointReader::operator=(PointReader&&) noexcept = default;

Index PointReader::dimension() const {
  return source_->dimension();
}
Index PointReader::size() const {
  return source_->size();
}

Index PointReader::read(Eigen::Ref<Points> chunk) {
  check_dimension(chunk, dimension(), "PointReader");
  const Index n = std::min(chunk.cols(), size() - source_->position);
  source_->read(source_->position, chunk.leftCols(n));
  source_->position += n;
  return n;
}

Points read_points(const std::string& spec) {
  PointReader reader(spec);
  Points points(reader.dimension(), reader.size());
  (void)reader.read(points);
  return points;
}

void write_points(const std::string& spec, const PointsRef& points) {
  const Spec parsed = parse_spec(spec);
  switch (parsed.format) {
    case Format::npy:
      write_npy(parsed.path, points);
      return;
    case Format::csv:
      write_csv(parsed.path, points);
      return;
    case Format::hdf5: {
      Hdf5Writer file(parsed.path);
      file.write_matrix(parsed.dataset.starts_with('/') ? parsed.dataset : "/" + parsed.dataset, points);
      file.commit();
    }
  }
}

}  // namespace onmanifold
