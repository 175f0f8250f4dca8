// SPDX-License-Identifier: Apache-2.0
#include "core/random/stream.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <set>

#include <Random123/philox.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/files/sha256.hpp"
#include "core/math/statistics.hpp"
#include "core/random/philox.hpp"
#include "core/random/random_transforms.hpp"

namespace onmanifold {
namespace {

using Words = std::array<std::uint32_t, 4>;

/// The reference: one block by Random123 itself.
Words reference_block(std::uint64_t key, std::uint64_t salt, std::uint64_t block) {
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32U); };
  const r123::Philox4x32::ctr_type counter = {{low(block), high(block), low(salt), high(salt)}};
  const r123::Philox4x32::key_type words = {{low(key), high(key)}};
  const r123::Philox4x32::ctr_type out = r123::Philox4x32()(counter, words);
  return {out[0], out[1], out[2], out[3]};
}

std::uint64_t join(std::uint32_t low, std::uint32_t high) {
  return low | (static_cast<std::uint64_t>(high) << 32U);
}

/// Key and salt of an address, as the header documents them.
std::pair<std::uint64_t, std::uint64_t> documented_address(std::uint64_t seed, const std::string& path) {
  const Digest digest = sha256(fmt::format("onmanifold/stream/1\n{}\n{}", seed, path));
  std::array<std::uint64_t, 2> words{};
  for (std::size_t i = 0; i < 16; ++i) words[i / 8] |= std::uint64_t{digest[i]} << (8 * (i % 8));
  return {words[0], words[1]};
}

/// The simple transforms: library functions in extended precision.
std::pair<long double, long double> reference_pair(std::uint64_t radius_bits, std::uint64_t angle_bits, int width) {
  const long double scale = std::exp2(static_cast<long double>(-width));
  // u or 1 - u, whichever is small, is exact enough in 64 bits.
  const bool upper = (radius_bits >> (width - 1)) != 0;
  const std::uint64_t mask = width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
  const long double log_u = upper ? std::log1p(-(static_cast<long double>(~radius_bits & mask) + 0.5L) * scale)
                                  : std::log((static_cast<long double>(radius_bits) + 0.5L) * scale);
  const long double radius = std::sqrt(-2 * log_u);
  // The angle modulo a quarter turn in integers, so that the reference is accurate near the axes, too.
  const std::uint64_t quarter = std::uint64_t{1} << (width - 2);
  const std::uint64_t quadrant = ((angle_bits + quarter / 2) & mask) / quarter;
  const auto rest =
      static_cast<long double>(static_cast<std::int64_t>(((angle_bits + quarter / 2) & mask) % quarter - quarter / 2));
  const long double theta = 2 * std::numbers::pi_v<long double> * (rest + 0.5L) * scale;
  const long double c = std::cos(theta);
  const long double s = std::sin(theta);
  const std::array<long double, 4> cosines = {c, -s, -c, s};
  const std::array<long double, 4> sines = {s, c, -s, -c};
  return {radius * cosines[quadrant], radius * sines[quadrant]};
}

template <class Scalar>
double ulps(Scalar value, long double exact) {
  const Scalar near = std::abs(static_cast<Scalar>(exact));
  const Scalar unit = std::nextafter(near, std::numeric_limits<Scalar>::infinity()) - near;
  return static_cast<double>(std::abs(static_cast<long double>(value) - exact) / static_cast<long double>(unit));
}

TEST(Philox, KnownAnswers) {
  // The vectors of the authors' test suite for philox4x32, 10 rounds.
  struct Case {
    std::uint64_t block, salt, key;
    Words words;
  };
  const std::array<Case, 3> cases = {{
      {0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {~std::uint64_t{0}, ~std::uint64_t{0}, ~std::uint64_t{0}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {0x85a308d3243f6a88U,
       0x0370734413198a2eU,
       0x299f31d0a4093822U,  // digits of pi
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  }};
  for (const Case& test : cases) {
    EXPECT_EQ(reference_block(test.key, test.salt, test.block), test.words);
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    detail::philox_blocks<1, detail::WordPairs::neighbours>(test.key, test.salt, test.block, &a, &b);
    EXPECT_EQ(a, join(test.words[0], test.words[1]));
    EXPECT_EQ(b, join(test.words[2], test.words[3]));
  }
}

TEST(Philox, ManyBlocksAreThoseOfRandom123) {
  std::uint64_t first = (std::uint64_t{1} << 32U) - 13;  // the carry into the second counter word is inside
  for (int repeat = 0; repeat < 50; ++repeat) {
    const std::uint64_t key = first * 0x9E3779B97F4A7C15U;
    const std::uint64_t salt = key ^ (key << 21U);
    std::array<std::uint64_t, 32> a{};
    std::array<std::uint64_t, 32> b{};
    std::array<std::uint64_t, 32> c{};
    std::array<std::uint64_t, 32> d{};
    detail::philox_blocks<32, detail::WordPairs::neighbours>(key, salt, first, a.data(), b.data());
    detail::philox_blocks<32, detail::WordPairs::alternate>(key, salt, first, c.data(), d.data());
    for (std::size_t i = 0; i < 32; ++i) {
      const Words words = reference_block(key, salt, first + i);
      ASSERT_EQ(a[i], join(words[0], words[1]));
      ASSERT_EQ(b[i], join(words[2], words[3]));
      ASSERT_EQ(c[i], join(words[0], words[2]));
      ASSERT_EQ(d[i], join(words[1], words[3]));
    }
    first = first * 3 + 1;
  }
}

/// Words at which a transform could go wrong: ends, quarter turns, thresholds, and neighbours of all of them.
std::vector<std::uint64_t> edge_words(int width) {
  const std::uint64_t mask = width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
  const double root_half = std::ldexp(std::sqrt(0.5), width);
  std::vector<std::uint64_t> words;
  for (std::uint64_t k = 0; k < 8; ++k) words.push_back(k << (width - 3));
  for (int k = 0; k < width; ++k) words.push_back(std::uint64_t{1} << k);
  words.push_back(static_cast<std::uint64_t>(root_half));
  std::vector<std::uint64_t> all;
  for (const std::uint64_t word : words) {
    for (int shift = -3; shift <= 3; ++shift) all.push_back((word + static_cast<std::uint64_t>(shift)) & mask);
  }
  return all;
}

TEST(RandomTransforms, NormalsAreThoseOfBoxAndMuller) {
  // 4 ulp: 1.5 of the logarithm is 0.75 of its root, 0.5 of the root, 1.5 of the sine, 0.5 of the product;
  // doubled where a factor lies just above a power of two and the product just below.
  double worst_double = 0;
  double worst_float = 0;
  const auto check_double = [&](std::uint64_t a, std::uint64_t b) {
    double cosine = 0;
    double sine = 0;
    detail::turn(b, cosine, sine);
    const double radius = detail::normal_radius(a);
    const auto [x, y] = reference_pair(a, b, 64);
    worst_double = std::max({worst_double, ulps(radius * cosine, x), ulps(radius * sine, y)});
  };
  const auto check_float = [&](std::uint32_t a, std::uint32_t b) {
    float cosine = 0;
    float sine = 0;
    detail::turn(b, cosine, sine);
    const float radius = detail::normal_radius(a);
    const auto [x, y] = reference_pair(a, b, 32);
    worst_float = std::max({worst_float, ulps(radius * cosine, x), ulps(radius * sine, y)});
  };
  for (const std::uint64_t a : edge_words(64)) {
    for (const std::uint64_t b : edge_words(64)) check_double(a, b);
  }
  for (const std::uint64_t a : edge_words(32)) {
    for (const std::uint64_t b : edge_words(32)) {
      check_float(static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(b));
    }
  }
  for (std::uint64_t i = 0; i < 50000; ++i) {
    const Words words = reference_block(1, 2, i);
    check_double(join(words[0], words[1]), join(words[2], words[3]));
    check_float(words[0], words[1]);
  }
  EXPECT_LE(worst_double, 4.0);
  EXPECT_LE(worst_float, 4.0);
  RecordProperty("worst_ulps_double", fmt::format("{:.2f}", worst_double));
  RecordProperty("worst_ulps_float", fmt::format("{:.2f}", worst_float));
  fmt::print("worst error: {:.2f} ulp in double, {:.2f} ulp in float\n", worst_double, worst_float);
}

TEST(RandomTransforms, RangeOfNormals) {
  EXPECT_NEAR(detail::normal_radius(std::uint64_t{0}), std::sqrt(130 * std::numbers::ln2), 1e-15 * 10);
  EXPECT_NEAR(detail::normal_radius(std::uint32_t{0}), std::sqrt(66 * std::numbers::ln2), 1e-6F * 7);
  EXPECT_NEAR(detail::normal_radius(~std::uint64_t{0}), 0x1p-32, 1e-15 * 0x1p-32);
  EXPECT_NEAR(detail::normal_radius(~std::uint32_t{0}), 0x1p-16, 1e-6 * 0x1p-16);
}

TEST(RandomTransforms, UniformsAreInsideTheOpenInterval) {
  EXPECT_EQ(detail::to_unit(0), 0x1p-53);
  EXPECT_EQ(detail::to_unit(~std::uint64_t{0}), 1 - 0x1p-53);
  EXPECT_EQ(detail::to_unit(std::uint64_t{1} << 63U), 0.5 + 0x1p-53);
  // The broken twin: 53 bits and a half do not fit into a double, the largest value becomes 1.
  const auto rounded = [](std::uint64_t bits) { return (static_cast<double>(bits >> 11U) + 0.5) * 0x1p-53; };
  EXPECT_EQ(rounded(~std::uint64_t{0}), 1.0);
}

TEST(Stream, DrawsFromItsDocumentedAddress) {
  const auto [key, salt] = documented_address(42, "sphere-vmf6/train/3");
  Stream stream(42, "sphere-vmf6/train/3");
  Points uniforms(3, 5);
  stream.fill_uniform(uniforms);  // blocks 0 … 7
  const double next = stream.uniform();
  for (Index i = 0; i < 15; ++i) {
    const Words words = reference_block(key, salt, static_cast<std::uint64_t>(i / 2));
    EXPECT_EQ(uniforms.data()[i], detail::to_unit(i % 2 == 0 ? join(words[0], words[1]) : join(words[2], words[3])));
  }
  const Words eighth = reference_block(key, salt, 8);
  EXPECT_EQ(next, detail::to_unit(join(eighth[0], eighth[1])));
}

TEST(Stream, NormalsComeFromTheDocumentedBlocks) {
  const auto [key, salt] = documented_address(1, "a");
  const Points wide = Stream(1, "a").normal(7, 41);
  Eigen::MatrixXf narrow(7, 41);
  Stream(1, "a").fill_normal(narrow);
  for (Index i = 0; i < wide.size(); ++i) {
    const Words w = reference_block(key, salt, static_cast<std::uint64_t>(i / 2));
    const auto [x, y] = reference_pair(join(w[0], w[1]), join(w[2], w[3]), 64);
    ASSERT_LE(ulps(wide.data()[i], i % 2 == 0 ? x : y), 4.0) << i;
    const Words v = reference_block(key, salt, static_cast<std::uint64_t>(i / 4));
    const std::size_t half = static_cast<std::size_t>(i / 2 % 2) * 2;
    const auto [p, q] = reference_pair(v[half], v[half + 1], 32);
    ASSERT_LE(ulps(narrow.data()[i], i % 2 == 0 ? p : q), 4.0) << i;
  }
}

TEST(Stream, GoldenBits) {
  // Fixed forever: results on disk depend on them, and no instruction set or build type may change them.
  Stream stream(0, "golden");
  EXPECT_EQ(fmt::format("{:a}", stream.uniform()), "0x1.98f41cdbb2186p-2");
  EXPECT_EQ(fmt::format("{:a}", stream.normal()), "-0x1.5051432866007p+0");
  EXPECT_EQ(stream.integer(1000000007), 378879791U);
  Eigen::MatrixXf narrow(1, 3);
  stream.fill_normal(narrow);
  EXPECT_EQ(fmt::format("{:a}", static_cast<double>(narrow(0, 2))), "-0x1.d7665p+0");
  EXPECT_EQ(stream.at("x").integer(1000000007), 260494509U);
  EXPECT_EQ(stream.at(5).integer(1000000007), 168199895U);
  // Over many values, so that a different rounding anywhere in the transforms shows.
  const Points many = Stream(1, "golden").normal(100, 100);
  Eigen::MatrixXf many_narrow(100, 100);
  Stream(1, "golden").fill_normal(many_narrow);
  const auto digest = [](const void* data, std::size_t bytes) {
    return to_hex(sha256({static_cast<const char*>(data), bytes}));
  };
  EXPECT_EQ(digest(many.data(), 80000), "40d49b23a66c8e877ec6bc0b544ac2f508a99f746bf395bfb07f677b0584382b");
  EXPECT_EQ(digest(many_narrow.data(), 40000), "100ed1781a49abf2c316250ff7e4594f2952cde18cc94d1ebcf4322ccea7ba84");
}

TEST(Stream, AFillIsAPrefixOfALongerOne) {
  const Points uniforms = Stream(3, "p").uniform(1, 300);
  const Points normals = Stream(3, "p").normal(1, 300);
  Eigen::MatrixXf floats(1, 300);
  Stream(3, "p").fill_normal(floats);
  for (Index n = 1; n < 300; n += n < 140 ? 1 : 17) {
    EXPECT_EQ(Stream(3, "p").uniform(1, n), uniforms.leftCols(n));
    EXPECT_EQ(Stream(3, "p").normal(1, n), normals.leftCols(n));
    Eigen::MatrixXf some(1, n);
    Stream(3, "p").fill_normal(some);
    EXPECT_EQ(some, floats.leftCols(n));
  }
  EXPECT_EQ(Stream(3, "p").uniform(), uniforms(0));
  EXPECT_EQ(Stream(3, "p").normal(), normals(0));
}

TEST(Stream, ShapeAndStrideDoNotMatter) {
  const Points flat = Stream(3, "s").normal(1, 7 * 50);
  Points block = Points::Constant(11, 50, -1);
  Stream(3, "s").fill_normal(block.middleRows(2, 7));
  EXPECT_EQ(block.middleRows(2, 7).reshaped(1, 350), flat);
  EXPECT_TRUE((block.topRows(2).array() == -1).all());
  EXPECT_TRUE((block.bottomRows(2).array() == -1).all());
  Points none(3, 0);
  Stream stream(3, "s");
  stream.fill_normal(none);
  EXPECT_EQ(stream.normal(), flat(0));  // nothing drawn, nothing consumed
}

TEST(Stream, CallsAdvanceByWholeBlocks) {
  Stream stream(9, "blocks");
  (void)stream.normal(1, 3);  // blocks 0, 1
  Eigen::MatrixXf narrow(1, 5);
  stream.fill_normal(narrow);             // blocks 2, 3
  const double fifth = stream.uniform();  // block 4
  EXPECT_EQ(fifth, Stream(9, "blocks").uniform(1, 9)(8));
}

TEST(Stream, IsAValueAndAddressesDoNotDependOnDraws) {
  Stream stream(5, "v");
  const Stream copy = stream;
  const Points first = stream.normal(4, 4);
  EXPECT_NE(stream.normal(4, 4), first);
  EXPECT_EQ(Stream(copy).normal(4, 4), first);
  EXPECT_EQ(stream.at("child").normal(2, 2), copy.at("child").normal(2, 2));
  EXPECT_EQ(stream.at(17).normal(2, 2), copy.at(17).normal(2, 2));
}

TEST(Stream, DifferentAddressesGiveDifferentNumbers) {
  std::set<double> seen;
  int streams = 0;
  const auto add = [&](Stream stream) {
    seen.insert(stream.uniform());
    ++streams;
  };
  const Stream root(0, "root");
  for (std::uint64_t i = 0; i < 500; ++i) {
    add(root.at(i));
    add(root.at(std::to_string(i)));
    add(Stream(i, "root"));
    add(Stream(0, std::to_string(i)));
    add(root.at("a").at(i));
    add(root.at(i).at("a"));
    add(root.at(i).at(i));
  }
  // (0, "root") occurs once; 52-bit values collide with probability 3500^2 / 2^53 = 1e-9.
  EXPECT_EQ(static_cast<int>(seen.size()), streams);
}

TEST(Stream, IntegersOfImpossibleBounds) {
  Stream stream(0, "i");
  EXPECT_THROW((void)stream.integer(0), InvalidInput);
  EXPECT_EQ(stream.integer(1), 0U);
  const std::uint64_t huge = (std::uint64_t{1} << 63U) + 1;  // every other word is rejected
  for (int i = 0; i < 100; ++i) EXPECT_LT(stream.integer(huge), huge);
}

// --- laws: every p-value below is of a fixed stream, at level 1e-3
// ----------------------------------------------

constexpr double alpha = 1e-3;

double uniform_p(const Vector& values) {
  return kolmogorov_smirnov_test(values, [](double u) { return u; }).p;
}
double normal_p(const Vector& values) {
  return kolmogorov_smirnov_test(values, [](double z) { return normal_cdf(z); }).p;
}
Vector float_normals(Stream stream, Index n) {
  Eigen::MatrixXf values(1, n);
  stream.fill_normal(values);
  return values.cast<double>().reshaped();
}

TEST(StreamLaws, UniformsAndNormals) {
  for (std::uint64_t k = 0; k < 5; ++k) {
    const Stream stream = Stream(11, "laws").at(k);
    EXPECT_GT(uniform_p(Stream(stream).uniform(20000, 1)), alpha) << k;
    EXPECT_GT(normal_p(Stream(stream).normal(20000, 1)), alpha) << k;
    EXPECT_GT(normal_p(float_normals(stream, 20000)), alpha) << k;
  }
}

TEST(StreamLaws, CheckCatchesBrokenTransforms) {
  const Vector z = Stream(11, "laws").normal(20000, 1);
  const Vector u = Stream(11, "laws").uniform(20000, 1);
  EXPECT_LT(normal_p(z * 1.08), alpha);          // a wrong scale
  EXPECT_LT(normal_p(z.array() + .05), alpha);   // a biased conversion
  EXPECT_LT(uniform_p(u.array() * .98), alpha);  // an end that is never reached
  // One word for radius and angle: the ring closes, and the values are not normal any more.
  Vector one_word(20000);
  for (Index i = 0; i < 20000; ++i) {
    const auto bits = static_cast<std::uint32_t>(u[i] * 0x1p32);
    float cosine = 0;
    float sine = 0;
    detail::turn(bits, cosine, sine);
    one_word[i] = static_cast<double>(detail::normal_radius(bits) * cosine);
  }
  EXPECT_LT(normal_p(one_word), alpha);
}

/// Worst |z-score| of the first four moments of standard normals; 3.9 is the two-sided level 1e-4 of one.
double worst_moment(const Vector& z) {
  const auto n = static_cast<double>(z.size());
  const auto score = [&](double moment, double expected, double variance) {
    return std::abs(moment - expected) / std::sqrt(variance / n);
  };
  return std::max({score(mean(z), 0, 1), score(mean(z.array().square()), 1, 2), score(mean(z.array().cube()), 0, 15),
                   score(mean(z.array().square().square()), 3, 96)});
}

TEST(StreamLaws, Moments) {
  const Index n = 400000;
  EXPECT_LT(worst_moment(Stream(12, "moments").normal(n, 1)), 3.9);
  EXPECT_LT(worst_moment(float_normals(Stream(12, "moments"), n)), 3.9);
  EXPECT_GT(worst_moment(Stream(12, "moments").normal(n, 1).array() + .01), 3.9);
}

/// p-value of the counts of |z| beyond 2.5, 3, 3.5, 4 and 4.5.
double tail_p(const Vector& z) {
  const std::array<double, 6> edges = {0, 2.5, 3, 3.5, 4, 4.5};
  Vector counts = Vector::Zero(6);
  Vector probabilities(6);
  for (std::size_t k = 0; k < 6; ++k) {
    const double beyond = k + 1 < 6 ? normal_p_two_sided(edges[k + 1]) : 0;
    probabilities[static_cast<Index>(k)] = normal_p_two_sided(edges[k]) - beyond;
  }
  for (const double value : z) {
    Index cell = 5;
    while (std::abs(value) < edges[static_cast<std::size_t>(cell)]) --cell;
    counts[cell] += 1;
  }
  return chi_squared_test(counts, probabilities).p;  // the last cell expects 6.8 of 10^6
}

TEST(StreamLaws, Tails) {
  const Index n = 1000000;
  const Vector z = Stream(13, "tails").normal(n, 1);
  EXPECT_GT(tail_p(z), alpha);
  EXPECT_GT(tail_p(float_normals(Stream(13, "tails"), n)), alpha);
  EXPECT_LT(tail_p(z.cwiseMin(3.5).cwiseMax(-3.5)), alpha);  // a tail that is cut, as with 16-bit uniforms
}

TEST(StreamLaws, NeighbouringStreamsAreIndependent) {
  // Correlations of stream k with stream k+1, with stream k+64 and of even with odd values of one stream:
  // under independence sqrt(n) r is standard normal, so their squares are chi-squared together.
  const Index n = 1000;
  const std::uint64_t streams = 200;
  Points z(n, static_cast<Index>(streams));
  const Stream root(14, "independence");
  for (std::uint64_t k = 0; k < streams; ++k) {
    Stream stream = root.at(k);
    stream.fill_normal(z.col(static_cast<Index>(k)));
  }
  const auto chi_squared_p = [&](const Points& a, const Points& b) {
    double sum = 0;
    for (Index j = 0; j < a.cols(); ++j) {
      const double r = a.col(j).dot(b.col(j)) / (a.col(j).norm() * b.col(j).norm());
      sum += static_cast<double>(a.rows()) * r * r;
    }
    return chi_squared_survival(sum, static_cast<double>(a.cols()));
  };
  EXPECT_GT(chi_squared_p(z.leftCols(199), z.rightCols(199)), alpha);
  EXPECT_GT(chi_squared_p(z.leftCols(136), z.rightCols(136)), alpha);
  EXPECT_GT(chi_squared_p(z.topRows(n / 2), z.bottomRows(n / 2)), alpha);
  EXPECT_LT(chi_squared_p(z.leftCols(199), z.rightCols(199) + .05 * z.leftCols(199)), alpha);
  // Pairs (u, v) of two streams in 16 × 16 cells.
  const Vector u = root.at(1).at("u").uniform(50000, 1);
  const Vector v = root.at(2).at("u").uniform(50000, 1);
  const auto cells_p = [](const Vector& a, const Vector& b) {
    Vector counts = Vector::Zero(256);
    for (Index i = 0; i < a.size(); ++i) {
      counts[static_cast<Index>(16 * a[i]) * 16 + static_cast<Index>(16 * b[i])] += 1;
    }
    return chi_squared_test(counts, Vector::Constant(256, 1. / 256)).p;
  };
  EXPECT_GT(cells_p(u, v), alpha);
  EXPECT_LT(cells_p(u, u), alpha);
}

template <class Draw>
double integers_p(Index bound, Index n, Draw draw) {
  Vector counts = Vector::Zero(bound);
  for (Index i = 0; i < n; ++i) counts[static_cast<Index>(draw())] += 1;
  return chi_squared_test(counts, Vector::Constant(bound, 1 / static_cast<double>(bound))).p;
}

TEST(StreamLaws, IntegersAreUnbiased) {
  Stream stream(15, "integers");
  for (const Index bound : {2, 3, 10, 100, 1000}) {
    EXPECT_GT(integers_p(bound, 50000, [&] { return stream.integer(static_cast<std::uint64_t>(bound)); }), alpha)
        << bound;
  }
  // The broken twin: the remainder of a byte, which favours the first 56 of 100.
  EXPECT_LT(integers_p(100, 50000, [&] { return stream.integer(256) % 100; }), alpha);
}

TEST(StreamLaws, IntegersReachBothHalvesOfAHugeRange) {
  Stream stream(15, "huge");
  const std::uint64_t bound = (std::uint64_t{1} << 63U) + 12345;
  EXPECT_GT(integers_p(8, 20000, [&] { return stream.integer(bound) / (bound / 8 + 1); }), alpha);
}

TEST(StreamLaws, PermutationsAreUniform) {
  const auto rank_of = [](const std::vector<Index>& order) {
    std::size_t rank = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      std::size_t smaller = 0;
      for (std::size_t j = i + 1; j < 4; ++j) smaller += order[j] < order[i] ? 1 : 0;
      rank = rank * (4 - i) + smaller;
    }
    return rank;
  };
  Stream stream(16, "permutations");
  EXPECT_GT(integers_p(24, 24000, [&] { return rank_of(stream.permutation(4)); }), alpha);
  // The broken twin: every place is exchanged with any place, 4^4 equally likely ways for 24 orders.
  EXPECT_LT(integers_p(24, 24000,
                       [&] {
                         std::vector<Index> order = {0, 1, 2, 3};
                         for (std::size_t i = 0; i < 4; ++i) std::swap(order[i], order[stream.integer(4)]);
                         return rank_of(order);
                       }),
            alpha);
  const std::vector<Index> large = Stream(16, "large").permutation(10007);
  const std::set<Index> seen(large.begin(), large.end());
  EXPECT_EQ(seen.size(), 10007U);
  EXPECT_EQ(*seen.rbegin(), 10006);
  EXPECT_TRUE(stream.permutation(0).empty());
  EXPECT_EQ(stream.permutation(1), std::vector<Index>{0});
}

}  // namespace
}  // namespace onmanifold
