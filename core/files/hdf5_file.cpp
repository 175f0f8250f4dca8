// SPDX-License-Identifier: Apache-2.0
#include "core/files/hdf5_file.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <new>

#include <fmt/format.h>
#include <hdf5.h>

#include "core/error.hpp"
#include "core/files/atomic_file.hpp"
#include "core/files/sha256.hpp"

namespace onmanifold {
namespace {

using Flags = Eigen::Array<bool, Eigen::Dynamic, 1>;

// Measured on 10,000×3 normal doubles, one core: shuffle and level 1 take 8.5 ms and leave 215 kB of 240
// (mantissas are noise; signs and exponents pack); level 4 leaves 213 kB in 9.0 ms, level 9 212 kB in 111 ms;
// without shuffle 231 kB.
constexpr unsigned deflate_level = 1;
constexpr hsize_t smallest_chunked_bytes = hsize_t{64} << 10U;
constexpr hsize_t largest_chunk_bytes = hsize_t{256} << 10U;
// Deflate cannot pack more than 1032 : 1, so a file that claims more is damaged, and must not make us
// allocate it.
constexpr double largest_packing = 1100.0;

// The digest is found in the bytes by its prefix: a damaged file must not be given to HDF5 to look for it.
constexpr const char* digest_attribute = "file_digest";
constexpr std::string_view digest_prefix = "sha256:";
constexpr std::size_t digest_digits = 64;

// An identifier with the function that closes it.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle() = default;
  Handle(hid_t id, Close close) : id_(id), close_(close) {}
  ~Handle() { reset(); }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      reset();
      id_ = std::exchange(other.id_, -1);
      close_ = other.close_;
    }
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  [[nodiscard]] hid_t id() const { return id_; }
  [[nodiscard]] bool valid() const { return id_ >= 0; }
  void reset() {
    if (id_ >= 0) close_(id_);
    id_ = -1;
  }

 private:
  hid_t id_ = -1;
  Close close_ = nullptr;
};

// Errors become exceptions here, so HDF5 itself prints nothing.
void silence() {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

// The texts of HDF5's error stack from the outermost call to the cause, on one line.
std::string error_stack() {
  std::vector<std::string> texts;
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_DOWNWARD,
      [](unsigned, const H5E_error2_t* error, void* data) -> herr_t {
        auto& list = *static_cast<std::vector<std::string>*>(data);
        const std::string text = error->desc == nullptr ? "" : error->desc;
        if (!text.empty() && std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
        return 0;
      },
      &texts);
  H5Eclear2(H5E_DEFAULT);
  if (texts.empty()) return "HDF5 gives no reason";
  std::string line = fmt::format("{}", fmt::join(texts, ": "));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return line;
}

// "<path>:<object>: cannot <operation>: <stack>"
[[noreturn]] void fail(const std::string& where, std::string_view operation) {
  throw IoError(fmt::format("{}: cannot {}: {}", where, operation, error_stack()));
}

Handle checked(hid_t id, Handle::Close close, const std::string& where, std::string_view operation) {
  if (id < 0) fail(where, operation);
  return {id, close};
}

void check(herr_t result, const std::string& where, std::string_view operation) {
  if (result < 0) fail(where, operation);
}

// h5py's boolean.
Handle boolean_type(const std::string& where) {
  Handle type = checked(H5Tenum_create(H5T_STD_I8LE), H5Tclose, where, "describe the type");
  const std::int8_t no = 0;
  const std::int8_t yes = 1;
  check(H5Tenum_insert(type.id(), "FALSE", &no), where, "describe the type");
  check(H5Tenum_insert(type.id(), "TRUE", &yes), where, "describe the type");
  return type;
}

// size 0: variable length.
Handle text_type(std::size_t size, const std::string& where) {
  Handle type = checked(H5Tcopy(H5T_C_S1), H5Tclose, where, "describe the type");
  check(H5Tset_size(type.id(), size == 0 ? H5T_VARIABLE : size), where, "describe the type");
  check(H5Tset_cset(type.id(), H5T_CSET_UTF8), where, "describe the type");
  check(H5Tset_strpad(type.id(), size == 0 ? H5T_STR_NULLTERM : H5T_STR_NULLPAD), where, "describe the type");
  return type;
}

void check_no_nul(std::string_view text, const std::string& where) {
  if (text.find('\0') != std::string_view::npos) throw InvalidInput(fmt::format("{}: a text with a NUL", where));
}

// Options that are made once and live as long as HDF5 does: making them takes longer than reading a number.
hid_t made_once(hid_t id, const std::string& where) {
  if (id < 0) fail(where, "start HDF5");
  return id;
}

// Options of a transfer of \p elements elements. HDF5 converts through a buffer that it fills with zeros
// first, 1 MiB by default: most of the time of reading a small file.
hid_t transfer_of(hsize_t elements, hid_t file_type, hid_t memory_type, const std::string& where) {
  constexpr std::size_t small = std::size_t{4} << 10U;
  constexpr std::size_t medium = std::size_t{64} << 10U;
  const auto with_buffer = [&](std::size_t bytes) {
    const hid_t options = made_once(H5Pcreate(H5P_DATASET_XFER), where);
    check(H5Pset_buffer(options, bytes, nullptr, nullptr), where, "start HDF5");
    return options;
  };
  // A text of variable length is 8 bytes in memory and 16 in the file, whatever the type says.
  const std::size_t element = std::max({H5Tget_size(file_type), H5Tget_size(memory_type), std::size_t{16}});
  if (elements <= small / element) {
    static const hid_t options = with_buffer(small);
    return options;
  }
  if (elements <= medium / element) {
    static const hid_t options = with_buffer(medium);
    return options;
  }
  return H5P_DEFAULT;
}

Handle space_of(const std::vector<hsize_t>& shape, const std::string& where) {
  return checked(
      shape.empty() ? H5Screate(H5S_SCALAR) : H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr),
      H5Sclose, where, "describe the shape");
}

}  // namespace

// ---------------------------------------------------------------- tables

Index Hdf5Table::rows() const {
  Index rows = -1;
  for (const auto& [name, column] : columns) {
    const auto size = static_cast<Index>(std::visit([](const auto& values) { return values.size(); }, column));
    if (rows >= 0 && rows != size) {
      throw InvalidInput(fmt::format("column {} has {} entries, the ones before it {}", name, size, rows));
    }
    rows = size;
  }
  return std::max<Index>(rows, 0);
}

namespace {

template <class T>
const std::vector<T>& column_of(const Hdf5Table& table, const std::string& name, std::string_view type) {
  for (const auto& [key, column] : table.columns) {
    if (key != name) continue;
    if (const auto* values = std::get_if<std::vector<T>>(&column)) return *values;
    throw InvalidInput(fmt::format("column {} does not hold {}", name, type));
  }
  throw InvalidInput(fmt::format("there is no column {}", name));
}

}  // namespace

const std::vector<double>& Hdf5Table::numbers(const std::string& name) const {
  return column_of<double>(*this, name, "numbers");
}

const std::vector<std::int64_t>& Hdf5Table::integers(const std::string& name) const {
  return column_of<std::int64_t>(*this, name, "integers");
}

const std::vector<std::string>& Hdf5Table::texts(const std::string& name) const {
  return column_of<std::string>(*this, name, "texts");
}

// ---------------------------------------------------------------- writing

struct Hdf5Writer::State {
  std::string path;
  Handle file;

  [[nodiscard]] std::string where(const std::string& name) const { return path + ":" + name; }
  [[nodiscard]] hid_t open_file() const {
    if (!file.valid()) throw IoError(fmt::format("{}: already committed", path));
    return file.id();
  }

  [[nodiscard]] Handle link_options(const std::string& at) const {
    Handle options = checked(H5Pcreate(H5P_LINK_CREATE), H5Pclose, at, "create");
    check(H5Pset_create_intermediate_group(options.id(), 1), at, "create");
    return options;
  }

  void write(const std::string& name, hid_t file_type, hid_t memory_type, const std::vector<hsize_t>& shape,
             const void* data) const {
    const std::string at = where(name);
    if (name.empty() || name.front() != '/' || name.back() == '/') {
      throw InvalidInput(fmt::format("{}: not a name of a dataset", at));
    }
    check_no_nul(name, path);
    const hid_t root = open_file();
    const Handle space = space_of(shape, at);
    const Handle links = link_options(at);
    const Handle options = checked(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, at, "create");
    check(H5Pset_obj_track_times(options.id(), false), at, "create");
    hsize_t elements = 1;
    for (const hsize_t length : shape) elements *= length;
    const hsize_t element_bytes = H5Tget_size(file_type);
    if (!shape.empty() && H5Tis_variable_str(file_type) <= 0 && elements * element_bytes >= smallest_chunked_bytes) {
      const hsize_t row_bytes = elements / shape[0] * element_bytes;
      std::vector<hsize_t> chunk = shape;
      chunk[0] = std::clamp<hsize_t>(largest_chunk_bytes / std::max<hsize_t>(row_bytes, 1), 1, shape[0]);
      check(H5Pset_chunk(options.id(), static_cast<int>(chunk.size()), chunk.data()), at, "create");
      check(H5Pset_shuffle(options.id()), at, "create");
      check(H5Pset_deflate(options.id(), deflate_level), at, "create");
    }
    const Handle dataset =
        checked(H5Dcreate2(root, name.c_str(), file_type, space.id(), links.id(), options.id(), H5P_DEFAULT), H5Dclose,
                at, "create");
    if (elements > 0) {
      const hid_t transfer = transfer_of(elements, file_type, memory_type, at);
      check(H5Dwrite(dataset.id(), memory_type, H5S_ALL, H5S_ALL, transfer, data), at, "write");
    }
  }

  void set_attribute(const std::string& object, const std::string& name, hid_t file_type, hid_t memory_type,
                     const void* data) const {
    const std::string at = fmt::format("{}:{}@{}", path, object, name);
    const Handle space = space_of({}, at);
    const Handle owner = checked(H5Oopen(open_file(), object.c_str(), H5P_DEFAULT), H5Oclose, at, "open");
    const Handle attribute = checked(
        H5Acreate2(owner.id(), name.c_str(), file_type, space.id(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose, at, "create");
    check(H5Awrite(attribute.id(), memory_type, data), at, "write");
  }
};

Hdf5Writer::Hdf5Writer(std::string path) : state_(std::make_unique<State>()) {
  silence();
  state_->path = std::move(path);
  const std::string& at = state_->path;
  const Handle access = checked(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, at, "start HDF5");
  // In memory, growing by 1 MiB, without a file behind it.
  check(H5Pset_fapl_core(access.id(), std::size_t{1} << 20U, false), at, "start HDF5");
  const Handle creation = checked(H5Pcreate(H5P_FILE_CREATE), H5Pclose, at, "start HDF5");
  check(H5Pset_obj_track_times(creation.id(), false), at, "start HDF5");
  state_->file = checked(H5Fcreate(at.c_str(), H5F_ACC_TRUNC, creation.id(), access.id()), H5Fclose, at, "start HDF5");
}

Hdf5Writer::~Hdf5Writer() = default;

namespace {

template <class Matrix>
std::vector<hsize_t> matrix_shape(const Matrix& values) {
  return {static_cast<hsize_t>(values.cols()), static_cast<hsize_t>(values.rows())};
}

}  // namespace

void Hdf5Writer::write_matrix(const std::string& name, const Eigen::Ref<const Eigen::MatrixXd>& values) {
  Eigen::MatrixXd copy;  // only of a block that is not contiguous
  const double* data = values.data();
  if (values.outerStride() != values.rows()) data = (copy = values).data();
  state_->write(name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, matrix_shape(values), data);
}

void Hdf5Writer::write_matrix(const std::string& name, const Eigen::Ref<const Eigen::MatrixXf>& values) {
  Eigen::MatrixXf copy;
  const float* data = values.data();
  if (values.outerStride() != values.rows()) data = (copy = values).data();
  state_->write(name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, matrix_shape(values), data);
}

void Hdf5Writer::write_matrix(const std::string& name, const Eigen::Ref<const Eigen::MatrixXi>& values) {
  Eigen::MatrixXi copy;
  const int* data = values.data();
  if (values.outerStride() != values.rows()) data = (copy = values).data();
  state_->write(name, H5T_STD_I32LE, H5T_NATIVE_INT, matrix_shape(values), data);
}

void Hdf5Writer::write_vector(const std::string& name, const VectorRef& values) {
  state_->write(name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {static_cast<hsize_t>(values.size())}, values.data());
}

void Hdf5Writer::write_flags(const std::string& name, const Flags& values) {
  const Handle type = boolean_type(state_->where(name));
  const std::vector<std::int8_t> bytes(values.data(), values.data() + values.size());
  state_->write(name, type.id(), type.id(), {bytes.size()}, bytes.data());
}

void Hdf5Writer::write_number(const std::string& name, double value) {
  state_->write(name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {}, &value);
}

void Hdf5Writer::write_integer(const std::string& name, std::int64_t value) {
  state_->write(name, H5T_STD_I64LE, H5T_NATIVE_INT64, {}, &value);
}

void Hdf5Writer::write_text(const std::string& name, std::string_view text) {
  check_no_nul(text, state_->where(name));
  const Handle type = text_type(0, state_->where(name));
  const std::string copy(text);
  const char* data = copy.c_str();
  state_->write(name, type.id(), type.id(), {}, &data);
}

void Hdf5Writer::write_texts(const std::string& name, const std::vector<std::string>& texts) {
  const Handle type = text_type(0, state_->where(name));
  std::vector<const char*> data;
  for (const std::string& text : texts) {
    check_no_nul(text, state_->where(name));
    data.push_back(text.c_str());
  }
  state_->write(name, type.id(), type.id(), {data.size()}, data.data());
}

void Hdf5Writer::write_table(const std::string& name, const Hdf5Table& table) {
  const std::string at = state_->where(name);
  if (table.columns.empty()) throw InvalidInput(fmt::format("{}: a table without columns", at));
  const auto rows = static_cast<std::size_t>(table.rows());
  // Packed records: the layout of the file is also that of the buffer (this program runs on little-endian
  // machines).
  std::vector<Handle> types;
  std::vector<std::size_t> offsets;
  std::size_t record = 0;
  for (const auto& [field, column] : table.columns) {
    Handle type;
    if (const auto* texts = std::get_if<std::vector<std::string>>(&column)) {
      std::size_t longest = 1;  // HDF5 has no texts of length 0
      for (const std::string& text : *texts) {
        check_no_nul(text, fmt::format("{}: column {}", at, field));
        longest = std::max(longest, text.size());
      }
      type = text_type(longest, at);
    } else {
      const bool real = std::holds_alternative<std::vector<double>>(column);
      type = checked(H5Tcopy(real ? H5T_IEEE_F64LE : H5T_STD_I64LE), H5Tclose, at, "describe the type");
    }
    offsets.push_back(record);
    record += H5Tget_size(type.id());
    types.push_back(std::move(type));
  }
  const Handle compound = checked(H5Tcreate(H5T_COMPOUND, record), H5Tclose, at, "describe the type");
  std::vector<char> buffer(rows * record, '\0');
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const auto& [field, column] = table.columns[i];
    check(H5Tinsert(compound.id(), field.c_str(), offsets[i], types[i].id()), at, "describe the type");
    for (std::size_t row = 0; row < rows; ++row) {
      char* target = buffer.data() + row * record + offsets[i];
      if (const auto* texts = std::get_if<std::vector<std::string>>(&column)) {
        std::memcpy(target, (*texts)[row].data(), (*texts)[row].size());
      } else if (const auto* numbers = std::get_if<std::vector<double>>(&column)) {
        std::memcpy(target, &(*numbers)[row], sizeof(double));
      } else {
        std::memcpy(target, &std::get<std::vector<std::int64_t>>(column)[row], sizeof(std::int64_t));
      }
    }
  }
  state_->write(name, compound.id(), compound.id(), {rows}, buffer.data());
}

void Hdf5Writer::make_group(const std::string& name) {
  const std::string at = state_->where(name);
  const hid_t root = state_->open_file();
  if (name == "/" || H5Lexists(root, name.c_str(), H5P_DEFAULT) > 0) return;
  H5Eclear2(H5E_DEFAULT);
  const Handle links = state_->link_options(at);
  const Handle options = checked(H5Pcreate(H5P_GROUP_CREATE), H5Pclose, at, "create");
  check(H5Pset_obj_track_times(options.id(), false), at, "create");
  checked(H5Gcreate2(root, name.c_str(), links.id(), options.id(), H5P_DEFAULT), H5Gclose, at, "create");
}

void Hdf5Writer::set_attribute(const std::string& object, const std::string& name, std::int64_t value) {
  state_->set_attribute(object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
}

void Hdf5Writer::set_attribute(const std::string& object, const std::string& name, double value) {
  state_->set_attribute(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
}

void Hdf5Writer::set_attribute(const std::string& object, const std::string& name, std::string_view value) {
  check_no_nul(value, state_->where(object));
  const Handle type = text_type(0, state_->where(object));
  const std::string copy(value);
  const char* data = copy.c_str();
  state_->set_attribute(object, name, type.id(), type.id(), &data);
}

namespace {

// Puts zeros in the place of \p digits wherever they are, and tells where.
std::vector<std::size_t> erase_digits(std::string& image, const std::string& digits) {
  std::vector<std::size_t> places;
  for (std::size_t place = image.find(digits); place != std::string::npos; place = image.find(digits, place)) {
    places.push_back(place);
    image.replace(place, digits.size(), digits.size(), '0');
  }
  return places;
}

}  // namespace

void Hdf5Writer::commit() {
  const std::string& at = state_->path;
  // Written as an uncommon mark first, found in the finished image, then replaced by the digest. The mark
  // must not depend on the path: equal content gives equal bytes wherever it is written.
  const std::string mark = to_hex(sha256("onmanifold: the place of the digest of the file"));
  set_attribute("/", digest_attribute, std::string_view(std::string(digest_prefix) + mark));
  const hid_t file = state_->open_file();
  check(H5Fflush(file, H5F_SCOPE_GLOBAL), at, "write");
  const ssize_t size = H5Fget_file_image(file, nullptr, 0);
  if (size < 0) fail(at, "write");
  std::string image(static_cast<std::size_t>(size), '\0');
  if (H5Fget_file_image(file, image.data(), image.size()) != size) fail(at, "write");
  state_->file.reset();
  const std::vector<std::size_t> places = erase_digits(image, mark);
  if (places.empty()) throw IoError(fmt::format("{}: cannot place the digest", at));
  const std::string digest = to_hex(sha256(image));
  for (const std::size_t place : places) image.replace(place, digest_digits, digest);
  write_file(at, image);
}

// ---------------------------------------------------------------- reading

namespace {

// How links are followed: never into another file. A file from outside must not make us read what its reader may see
// and its writer may not.
hid_t inside_the_file(const std::string& where) {
  static const hid_t options = [&] {
    const hid_t access = made_once(H5Pcreate(H5P_LINK_ACCESS), where);
    const H5L_elink_traverse_t refuse = [](const char*, const char*, const char*, const char*, unsigned*, hid_t,
                                           void*) -> herr_t { return -1; };
    check(H5Pset_elink_cb(access, refuse, nullptr), where, "start HDF5");
    return access;
  }();
  return options;
}

// Refuses a dataset whose values stand in other files, or nowhere: HDF5 would read those files, or give zeros.
void check_stored_here(hid_t dataset, const std::string& at) {
  const Handle made = checked(H5Dget_create_plist(dataset), H5Pclose, at, "read the layout");
  const H5D_layout_t layout = H5Pget_layout(made.id());
  if (layout == H5D_VIRTUAL) {
    throw InvalidInput(fmt::format("{}: is a virtual dataset, whose values stand in other files", at));
  }
  if (H5Pget_external_count(made.id()) != 0) {
    throw InvalidInput(fmt::format("{}: keeps its values in other files (external storage)", at));
  }
  const Handle space = checked(H5Dget_space(dataset), H5Sclose, at, "read the shape");
  const hssize_t elements = H5Sget_simple_extent_npoints(space.id());
  if (elements <= 0 || H5Sget_simple_extent_type(space.id()) != H5S_SIMPLE) {
    // Nothing to store, or a scalar.
    if (elements == 1 && layout == H5D_CONTIGUOUS && H5Dget_storage_size(dataset) == 0) {
      throw InvalidInput(fmt::format("{}: was never written", at));
    }
    return;
  }
  if (layout == H5D_CONTIGUOUS && H5Dget_storage_size(dataset) == 0) {
    throw InvalidInput(fmt::format("{}: was never written", at));
  }
  if (layout != H5D_CHUNKED) return;
  std::array<hsize_t, H5S_MAX_RANK> lengths{};
  std::array<hsize_t, H5S_MAX_RANK> chunk{};
  const int rank = H5Sget_simple_extent_dims(space.id(), lengths.data(), nullptr);
  hsize_t written = 0;
  if (rank < 0 || H5Pget_chunk(made.id(), rank, chunk.data()) < 0 ||
      H5Dget_num_chunks(dataset, space.id(), &written) < 0) {
    fail(at, "read the layout");
  }
  double wanted = 1;
  for (std::size_t i = 0; i < static_cast<std::size_t>(rank); ++i) {
    wanted *= std::ceil(static_cast<double>(lengths[i]) / static_cast<double>(std::max<hsize_t>(chunk[i], 1)));
  }
  if (static_cast<double>(written) < wanted) {
    throw InvalidInput(
        fmt::format("{}: was never written, or in part ({} of {:.0f} pieces are there)", at, written, wanted));
  }
}

}  // namespace

struct Hdf5Reader::State {
  std::string path;
  Handle file;

  [[nodiscard]] std::string where(const std::string& name) const { return path + ":" + name; }

  // Looks along the path, because HDF5 takes a missing group on the way for an error.
  [[nodiscard]] bool has(const std::string& name) const {
    if (name == "/") return true;
    for (std::size_t slash = name.find('/', 1);; slash = name.find('/', slash + 1)) {
      if (H5Lexists(file.id(), name.substr(0, slash).c_str(), inside_the_file(path)) <= 0) {
        H5Eclear2(H5E_DEFAULT);
        return false;
      }
      if (slash == std::string::npos) return true;
    }
  }

  [[nodiscard]] Handle open_object(const std::string& name) const {
    Handle object(H5Oopen(file.id(), name.c_str(), inside_the_file(path)), H5Oclose);
    if (object.valid()) {
      if (H5Iget_type(object.id()) == H5I_DATASET) check_stored_here(object.id(), where(name));
      return object;
    }
    const std::string reason = error_stack();  // before has(), which clears it
    H5L_info_t link{};
    const bool external =
        H5Lget_info(file.id(), name.c_str(), &link, inside_the_file(path)) >= 0 && link.type == H5L_TYPE_EXTERNAL;
    H5Eclear2(H5E_DEFAULT);
    if (external) throw InvalidInput(fmt::format("{}: is a link to another file, which is not followed", where(name)));
    if (!has(name)) throw InvalidInput(fmt::format("{}: missing", where(name)));
    throw IoError(fmt::format("{}: cannot open: {}", where(name), reason));
  }
};

namespace {

std::vector<hsize_t> shape_of(hid_t space, const std::string& at) {
  if (H5Sget_simple_extent_type(space) == H5S_NULL) throw InvalidInput(fmt::format("{}: has no value", at));
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0) fail(at, "read the shape");
  std::vector<hsize_t> shape(static_cast<std::size_t>(rank));
  if (rank > 0 && H5Sget_simple_extent_dims(space, shape.data(), nullptr) < 0) fail(at, "read the shape");
  return shape;
}

std::string shape_text(const std::vector<hsize_t>& shape) {
  return shape.empty() ? "a scalar" : fmt::format("{}", fmt::join(shape, "×"));
}

std::string type_text(hid_t type) {
  const std::size_t bits = 8 * H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_FLOAT:
      return fmt::format("float{}", bits);
    case H5T_INTEGER:
      return fmt::format("{}int{}", H5Tget_sign(type) == H5T_SGN_NONE ? "u" : "", bits);
    case H5T_STRING:
      return "text";
    case H5T_ENUM:
      return "an enumeration";
    case H5T_COMPOUND:
      return "records";
    default:
      return "another type";
  }
}

enum class Wanted { real64, real32, integer32, integer64, flag, text, table };

std::string_view wanted_text(Wanted wanted) {
  constexpr std::array<std::string_view, 7> names = {"float64", "float32", "int32",  "int64",
                                                     "boolean", "text",    "records"};
  return names[static_cast<std::size_t>(wanted)];
}

// Is every value of the file's type a value of the wanted one?
bool widens(hid_t type, Wanted wanted) {
  const H5T_class_t kind = H5Tget_class(type);
  const std::size_t size = H5Tget_size(type);
  const bool is_unsigned = kind == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_NONE;
  const auto integer_up_to = [&](std::size_t bytes) {
    return kind == H5T_INTEGER && (is_unsigned ? 2 * size <= bytes : size <= bytes);
  };
  switch (wanted) {
    case Wanted::real64:
      return (kind == H5T_FLOAT && size <= 8) || (kind == H5T_INTEGER && size <= 4);
    case Wanted::real32:
      return (kind == H5T_FLOAT && size <= 4) || (kind == H5T_INTEGER && size <= 2);
    case Wanted::integer32:
      return integer_up_to(4);
    case Wanted::integer64:
      return integer_up_to(8);
    case Wanted::flag:
      return (kind == H5T_ENUM || kind == H5T_INTEGER) && size == 1;
    case Wanted::text:
      return kind == H5T_STRING;
    case Wanted::table:
      return kind == H5T_COMPOUND;
  }
  return false;
}

void check_type(hid_t type, Wanted wanted, const std::string& at) {
  if (!widens(type, wanted)) {
    throw InvalidInput(fmt::format("{}: holds {}, expected {}", at, type_text(type), wanted_text(wanted)));
  }
}

// A dataset or an attribute whose type and rank are as wanted.
struct Source {
  Handle object;
  Handle type;
  Handle space;
  std::vector<hsize_t> shape;
  std::string at;
  bool attribute = false;

  [[nodiscard]] hsize_t elements() const {
    hsize_t product = 1;
    for (const hsize_t length : shape) product *= length;
    return product;
  }
  void read(hid_t memory_type, void* data) const {
    const hsize_t count = elements();
    if (count == 0) return;
    if (attribute) {
      check(H5Aread(object.id(), memory_type, data), at, "read");
      return;
    }
    const hid_t transfer = transfer_of(count, type.id(), memory_type, at);
    check(H5Dread(object.id(), memory_type, H5S_ALL, H5S_ALL, transfer, data), at, "read");
  }
};

void check_rank(const Source& source, std::size_t rank) {
  if (source.shape.size() == rank) return;
  throw InvalidInput(fmt::format("{}: is {}, expected {}", source.at, shape_text(source.shape),
                                 rank == 0   ? "a scalar"
                                 : rank == 1 ? "one axis"
                                             : "two axes"));
}

// The sizes in a damaged header must not make us allocate more than the file can hold.
void check_plausible(const Source& source, std::size_t element_bytes) {
  double bytes = static_cast<double>(element_bytes);
  for (const hsize_t length : source.shape) bytes *= static_cast<double>(length);
  const auto stored = static_cast<double>(H5Dget_storage_size(source.object.id()));
  if (bytes > stored * largest_packing) {
    throw IoError(
        fmt::format("{}: claims {} values, but only {} bytes are stored", source.at, shape_text(source.shape), stored));
  }
}

Source open_dataset(Handle object, const std::string& at, Wanted wanted, std::size_t rank) {
  if (H5Iget_type(object.id()) != H5I_DATASET) throw InvalidInput(fmt::format("{}: is not a dataset", at));
  Source source;
  source.at = at;
  source.object = std::move(object);
  source.type = checked(H5Dget_type(source.object.id()), H5Tclose, at, "read the type");
  source.space = checked(H5Dget_space(source.object.id()), H5Sclose, at, "read the shape");
  source.shape = shape_of(source.space.id(), at);
  check_type(source.type.id(), wanted, at);
  check_rank(source, rank);
  check_plausible(source, H5Tget_size(source.type.id()));
  return source;
}

// The text whose bytes, or whose pointer if it is of variable length, are at \p place.
std::string text_at(const char* place, hid_t type) {
  if (H5Tis_variable_str(type) > 0) {
    const char* text = nullptr;
    std::memcpy(&text, place, sizeof(text));
    return text == nullptr ? std::string() : std::string(text);
  }
  std::string text(place, ::strnlen(place, H5Tget_size(type)));
  if (H5Tget_strpad(type) == H5T_STR_SPACEPAD) {
    while (!text.empty() && text.back() == ' ') text.pop_back();
  }
  return text;
}

// All texts of a source, of fixed or variable length.
std::vector<std::string> read_texts(const Source& source) {
  const hid_t type = source.type.id();
  const auto count = static_cast<std::size_t>(source.elements());
  std::vector<std::string> texts(count);
  if (count == 0) return texts;
  const bool variable = H5Tis_variable_str(type) > 0;
  const std::size_t size = variable ? sizeof(char*) : H5Tget_size(type);
  std::vector<char> data(count * size);
  source.read(type, data.data());
  for (std::size_t i = 0; i < count; ++i) texts[i] = text_at(data.data() + i * size, type);
  if (variable) H5Dvlen_reclaim(type, source.space.id(), H5P_DEFAULT, data.data());
  return texts;
}

}  // namespace

Hdf5Reader::Hdf5Reader(std::string path) : state_(std::make_unique<State>()) {
  silence();
  state_->path = std::move(path);
  const std::string& at = state_->path;
  std::error_code error;
  const auto status = std::filesystem::status(at, error);
  if (!std::filesystem::exists(status)) throw InvalidInput(fmt::format("{}: no such file", at));
  if (std::filesystem::is_directory(status)) throw InvalidInput(fmt::format("{}: is a directory, not a file", at));
  if (!std::filesystem::is_regular_file(status)) throw InvalidInput(fmt::format("{}: not a regular file", at));
  static const hid_t access = [&] {
    const hid_t options = made_once(H5Pcreate(H5P_FILE_ACCESS), at);
    // Finished files never change, so no lock is needed; some network file systems have none.
    check(H5Pset_file_locking(options, false, true), at, "start HDF5");
    return options;
  }();
  state_->file = Handle(H5Fopen(at.c_str(), H5F_ACC_RDONLY, access), H5Fclose);
  if (state_->file.valid()) return;
  const std::string reason = error_stack();
  const htri_t is_hdf5 = H5Fis_hdf5(at.c_str());
  H5Eclear2(H5E_DEFAULT);
  if (is_hdf5 == 0) throw InvalidInput(fmt::format("{}: not an HDF5 file", at));
  throw IoError(fmt::format("{}: cannot open: {}", at, reason));
}

Hdf5Reader::~Hdf5Reader() = default;

const std::string& Hdf5Reader::path() const {
  return state_->path;
}

bool Hdf5Reader::has(const std::string& name) const {
  return state_->has(name);
}

bool Hdf5Reader::is_group(const std::string& name) const {
  const Handle object(H5Oopen(state_->file.id(), name.c_str(), inside_the_file(state_->path)), H5Oclose);
  if (object.valid()) return H5Iget_type(object.id()) == H5I_GROUP;
  H5Eclear2(H5E_DEFAULT);
  if (!has(name)) return false;
  return H5Iget_type(state_->open_object(name).id()) == H5I_GROUP;  // says why it cannot be opened
}

std::vector<std::string> Hdf5Reader::children(const std::string& group) const {
  std::vector<std::string> names;
  if (!is_group(group)) return names;
  const std::string at = state_->where(group);
  const Handle object = state_->open_object(group);
  check(H5Literate(
            object.id(), H5_INDEX_NAME, H5_ITER_INC, nullptr,
            [](hid_t, const char* name, const H5L_info_t*, void* data) -> herr_t {
              static_cast<std::vector<std::string>*>(data)->emplace_back(name);
              return 0;
            },
            &names),
        at, "list");
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> Hdf5Reader::datasets(const std::string& group) const {
  // Links may form a ring.
  if (std::count(group.begin(), group.end(), '/') > 64) {
    throw InvalidInput(fmt::format("{}: nested too deeply", state_->where(group)));
  }
  std::vector<std::string> names;
  const std::string prefix = group == "/" ? group : group + "/";
  for (const std::string& child : children(group)) {
    if (!is_group(prefix + child)) {
      names.push_back(child);
      continue;
    }
    for (const std::string& below : datasets(prefix + child)) names.push_back(child + "/" + below);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<Index> Hdf5Reader::shape(const std::string& dataset) const {
  const std::string at = state_->where(dataset);
  const Handle object = state_->open_object(dataset);
  if (H5Iget_type(object.id()) != H5I_DATASET) throw InvalidInput(fmt::format("{}: is not a dataset", at));
  const Handle space = checked(H5Dget_space(object.id()), H5Sclose, at, "read the shape");
  const std::vector<hsize_t> lengths = shape_of(space.id(), at);
  return {lengths.begin(), lengths.end()};
}

namespace {

// Room for what a dataset claims; a refusal of memory is an error of the file, not of the program.
template <class Container>
Container room(Index rows, Index cols, const std::string& at) {
  try {
    return Container(rows, cols);
  } catch (const std::bad_alloc&) {
    throw IoError(fmt::format("{}: {}×{} values do not fit in memory", at, cols, rows));
  }
}

template <class Matrix>
Matrix read_matrix(const Source& source, hid_t memory_type) {
  auto values = room<Matrix>(static_cast<Index>(source.shape[1]), static_cast<Index>(source.shape[0]), source.at);
  source.read(memory_type, values.data());
  return values;
}

void check_size(const Source& source, std::string_view what, hsize_t size, Index wanted) {
  if (wanted >= 0 && size != static_cast<hsize_t>(wanted)) {
    throw InvalidInput(fmt::format("{}: is {}, expected {} {}", source.at, shape_text(source.shape), wanted, what));
  }
}

}  // namespace

Eigen::MatrixXd Hdf5Reader::matrix(const std::string& dataset, Index rows, Index cols) const {
  const Source source = open_dataset(state_->open_object(dataset), state_->where(dataset), Wanted::real64, 2);
  check_size(source, "columns", source.shape[1], rows);
  check_size(source, "rows", source.shape[0], cols);
  return read_matrix<Eigen::MatrixXd>(source, H5T_NATIVE_DOUBLE);
}

Eigen::MatrixXf Hdf5Reader::float_matrix(const std::string& dataset) const {
  const Source source = open_dataset(state_->open_object(dataset), state_->where(dataset), Wanted::real32, 2);
  return read_matrix<Eigen::MatrixXf>(source, H5T_NATIVE_FLOAT);
}

Eigen::MatrixXi Hdf5Reader::integer_matrix(const std::string& dataset) const {
  const Source source = open_dataset(state_->open_object(dataset), state_->where(dataset), Wanted::integer32, 2);
  return read_matrix<Eigen::MatrixXi>(source, H5T_NATIVE_INT);
}

Vector Hdf5Reader::vector(const std::string& dataset, Index size) const {
  const Source source = open_dataset(state_->open_object(dataset), state_->where(dataset), Wanted::real64, 1);
  check_size(source, "values", source.shape[0], size);
  auto values = room<Eigen::MatrixXd>(static_cast<Index>(source.shape[0]), 1, source.at);
  source.read(H5T_NATIVE_DOUBLE, values.data());
  return values;
}

Flags Hdf5Reader::flags(const std::string& dataset, Index size) const {
  const Source source = open_dataset(state_->open_object(dataset), state_->where(dataset), Wanted::flag, 1);
  check_size(source, "values", source.shape[0], size);
  auto bytes = room<Eigen::Matrix<std::int8_t, Eigen::Dynamic, Eigen::Dynamic>>(static_cast<Index>(source.shape[0]), 1,
                                                                                source.at);
  source.read(source.type.id(), bytes.data());
  return (bytes.array() != 0).col(0);
}

double Hdf5Reader::number(const std::string& dataset) const {
  double value = 0;
  open_dataset(state_->open_object(dataset), state_->where(dataset), Wanted::real64, 0).read(H5T_NATIVE_DOUBLE, &value);
  return value;
}

std::map<std::string, double> Hdf5Reader::numbers(const std::string& group) const {
  std::map<std::string, double> values;
  for (const std::string& name : children(group)) {
    const std::string dataset = group + "/" + name;
    double value = 0;
    open_dataset(state_->open_object(dataset), state_->where(dataset), Wanted::real64, 0)
        .read(H5T_NATIVE_DOUBLE, &value);
    values.emplace(name, value);
  }
  return values;
}

std::int64_t Hdf5Reader::integer(const std::string& dataset) const {
  std::int64_t value = 0;
  open_dataset(state_->open_object(dataset), state_->where(dataset), Wanted::integer64, 0)
      .read(H5T_NATIVE_INT64, &value);
  return value;
}

std::string Hdf5Reader::text(const std::string& dataset) const {
  return read_texts(open_dataset(state_->open_object(dataset), state_->where(dataset), Wanted::text, 0)).front();
}

std::vector<std::string> Hdf5Reader::texts(const std::string& dataset) const {
  return read_texts(open_dataset(state_->open_object(dataset), state_->where(dataset), Wanted::text, 1));
}

Hdf5Table Hdf5Reader::table(const std::string& dataset) const {
  const Source source = open_dataset(state_->open_object(dataset), state_->where(dataset), Wanted::table, 1);
  const std::string& at = source.at;
  const auto rows = static_cast<std::size_t>(source.shape[0]);
  const int fields = H5Tget_nmembers(source.type.id());
  if (fields < 0) fail(at, "read the type");
  // All columns in one read: HDF5 picks the fields from the records by their names, and preparing that is
  // most of the time of reading a small table.
  struct Field {
    std::string name;
    Handle type;  // as in the file
    bool text = false;
    bool whole = false;
    hid_t cell = -1;  // as in memory
    std::size_t offset = 0;
  };
  std::vector<Field> columns;
  std::size_t record = 0;
  bool reclaim = false;
  for (int i = 0; i < fields; ++i) {
    Field field;
    char* raw_name = H5Tget_member_name(source.type.id(), static_cast<unsigned>(i));
    if (raw_name == nullptr) fail(at, "read the type");
    field.name = raw_name;
    H5free_memory(raw_name);
    field.type = checked(H5Tget_member_type(source.type.id(), static_cast<unsigned>(i)), H5Tclose, at, "read the type");
    field.text = widens(field.type.id(), Wanted::text);
    field.whole = widens(field.type.id(), Wanted::integer64);
    if (!field.text && !field.whole) {
      check_type(field.type.id(), Wanted::real64, fmt::format("{}: column {}", at, field.name));
    }
    field.cell = field.text ? field.type.id() : field.whole ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE;
    field.offset = record;
    record += H5Tget_size(field.cell);
    reclaim = reclaim || H5Tis_variable_str(field.cell) > 0;
    columns.push_back(std::move(field));
  }
  Hdf5Table table;
  if (columns.empty()) return table;
  const Handle memory = checked(H5Tcreate(H5T_COMPOUND, record), H5Tclose, at, "read the type");
  for (const Field& field : columns) {
    check(H5Tinsert(memory.id(), field.name.c_str(), field.offset, field.cell), at, "read the type");
  }
  std::vector<char> buffer(rows * record, '\0');
  source.read(memory.id(), buffer.data());
  for (const Field& field : columns) {
    const char* first = buffer.data() + field.offset;
    if (field.text) {
      std::vector<std::string> texts(rows);
      for (std::size_t row = 0; row < rows; ++row) texts[row] = text_at(first + row * record, field.cell);
      table.columns.emplace_back(field.name, std::move(texts));
    } else if (field.whole) {
      std::vector<std::int64_t> values(rows);
      for (std::size_t row = 0; row < rows; ++row)
        std::memcpy(&values[row], first + row * record, sizeof(std::int64_t));
      table.columns.emplace_back(field.name, std::move(values));
    } else {
      std::vector<double> values(rows);
      for (std::size_t row = 0; row < rows; ++row) std::memcpy(&values[row], first + row * record, sizeof(double));
      table.columns.emplace_back(field.name, std::move(values));
    }
  }
  if (reclaim && rows > 0) H5Dvlen_reclaim(memory.id(), source.space.id(), H5P_DEFAULT, buffer.data());
  return table;
}

namespace {

Source open_attribute(const Handle& owner, const std::string& name, const std::string& at, Wanted wanted) {
  if (H5Aexists(owner.id(), name.c_str()) <= 0) {
    H5Eclear2(H5E_DEFAULT);
    throw InvalidInput(fmt::format("{}: missing", at));
  }
  Source source;
  source.attribute = true;
  source.at = at;
  source.object = checked(H5Aopen(owner.id(), name.c_str(), H5P_DEFAULT), H5Aclose, at, "open");
  source.type = checked(H5Aget_type(source.object.id()), H5Tclose, at, "read the type");
  source.space = checked(H5Aget_space(source.object.id()), H5Sclose, at, "read the shape");
  source.shape = shape_of(source.space.id(), at);
  check_type(source.type.id(), wanted, at);
  check_rank(source, 0);
  return source;
}

}  // namespace

bool Hdf5Reader::has_attribute(const std::string& object, const std::string& name) const {
  if (!has(object)) return false;
  const bool there = H5Aexists(state_->open_object(object).id(), name.c_str()) > 0;
  H5Eclear2(H5E_DEFAULT);
  return there;
}

std::int64_t Hdf5Reader::integer_attribute(const std::string& object, const std::string& name) const {
  std::int64_t value = 0;
  open_attribute(state_->open_object(object), name, state_->where(object + "@" + name), Wanted::integer64)
      .read(H5T_NATIVE_INT64, &value);
  return value;
}

double Hdf5Reader::number_attribute(const std::string& object, const std::string& name) const {
  double value = 0;
  open_attribute(state_->open_object(object), name, state_->where(object + "@" + name), Wanted::real64)
      .read(H5T_NATIVE_DOUBLE, &value);
  return value;
}

std::string Hdf5Reader::text_attribute(const std::string& object, const std::string& name) const {
  return read_texts(open_attribute(state_->open_object(object), name, state_->where(object + "@" + name), Wanted::text))
      .front();
}

std::string check_file_digest(const std::string& path) {
  std::string image;
  try {
    image = read_file(path);
  } catch (const InvalidInput& error) {
    return error.what();
  } catch (const IoError& error) {
    return error.what();
  }
  // Texts in the file may look like a digest too, so any one that fits will do.
  std::vector<std::string> candidates;
  for (std::size_t at = image.find(digest_prefix); at != std::string::npos; at = image.find(digest_prefix, at + 1)) {
    const std::string digits = image.substr(at + digest_prefix.size(), digest_digits);
    if (digits.size() == digest_digits && digits.find_first_not_of("0123456789abcdef") == std::string::npos &&
        std::find(candidates.begin(), candidates.end(), digits) == candidates.end()) {
      candidates.push_back(digits);
    }
  }
  if (candidates.empty()) return fmt::format("{}: damaged, or not written by onmanifold: it carries no digest", path);
  for (const std::string& digest : candidates) {
    std::string blank = image;
    erase_digits(blank, digest);
    if (to_hex(sha256(blank)) == digest) return {};
  }
  return fmt::format("{}: damaged: the content does not match its digest", path);
}

}  // namespace onmanifold
