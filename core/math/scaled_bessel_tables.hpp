// SPDX-License-Identifier: Apache-2.0
#pragma once
// Chebyshev coefficients of the scaled Bessel functions, for scaled_bessel.cpp and scaled_bessel_portable.cpp. Made in
// extended precision from cyl_bessel_i of Boost 1.74 and, above 50, the asymptotic series, at the 34 Chebyshev nodes:
// as numbers, because extended precision differs from machine to machine. scaled_bessel_test.cpp compares with Boost.

#include <array>
#include <cstddef>

namespace onmanifold::detail::bessel {

inline constexpr std::size_t terms = 34;
inline constexpr double split = 8;

using Coefficients = std::array<double, terms>;

/// Of exp(-x) I_0(x), and exp(-x) I_1(x)/x: it vanishes at 0, its quotient keeps the relative error; in x/4 - 1.
inline constexpr std::array<Coefficients, 2> near = {{
    {{0x1.5a84e9035a22ap-2,   -0x1.37febc057cd8dp-2,  0x1.5f7ac77ac88cp-3,   -0x1.84b70342d06eap-4,
      0x1.93e8acea8a32dp-5,   -0x1.84e9ef121b6fp-6,   0x1.59961f3dde3ddp-7,  -0x1.1b65e201aa849p-8,
      0x1.adc758a12100ep-10,  -0x1.2e2fd1f15eb53p-11, 0x1.8b51b74107cacp-13, -0x1.e2b2659c41d41p-15,
      0x1.13f58be9a285fp-16,  -0x1.2866fcba56426p-18, 0x1.2bf24978cf397p-20, -0x1.1ec638f227fc4p-22,
      0x1.03b769d4d4788p-24,  -0x1.beaf68c08p-27,     0x1.6d903a4589697p-29, -0x1.1d4fe138bc3c4p-31,
      0x1.a98becd4p-34,       -0x1.2fc957a3c3c3cp-36, 0x1.9fe2fdb4b4b4bp-39, -0x1.1164c24b4b4b5p-41,
      0x1.59b458p-44,         -0x1.a4fe878787878p-47, 0x1.ee73e1e1e1e1ep-50, -0x1.182a5a5a5a5a6p-52,
      0x1.33c3c3c3c3c3cp-55,  -0x1.47f0f0f0f0f0fp-58, 0x1.cb87878787878p-60, 0x1.4b4b4b4b4b4b5p-67,
      -0x1.40f0f0f0f0f0fp-63, 0x1.4969696969697p-62}},
    {{0x1.02a63724a7ffap-3,   -0x1.694d10469192ep-3,  0x1.a46dad536f53cp-4,  -0x1.b1bbc537c9ebcp-5,
      0x1.951e3e7bb2349p-6,   -0x1.5a29f7913a26ap-7,  0x1.1065349d3a1b4p-8,  -0x1.8cc620b3cd4a4p-10,
      0x1.0c95db6c6df7dp-11,  -0x1.533cad3d695p-13,   0x1.911b542c70d0cp-15, -0x1.bd5f9b8debb9cp-17,
      0x1.d1c4ed511afdap-19,  -0x1.cc0798363992dp-21, 0x1.ae344b347ccp-23,   -0x1.7dd3e24b8c697p-25,
      0x1.4258e0238d2d3p-27,  -0x1.0361b28e4b4b5p-29, 0x1.8ea34b44c3c3cp-32, -0x1.25103975e1e1ep-34,
      0x1.9cee2b51e1e1ep-37,  -0x1.173835d2d2d2dp-39, 0x1.6af7823c3c3c4p-42, -0x1.c628c25a5a5a6p-45,
      0x1.11d7bc3c3c3c4p-47,  -0x1.3e9b969696969p-50, 0x1.6655a5a5a5a5ap-53, -0x1.846d2d2d2d2d3p-56,
      0x1.9c3c3c3c3c3c4p-59,  -0x1.b1e1e1e1e1e1ep-62, 0x1.2b4b4b4b4b4b5p-61, 0x1.30f0f0f0f0f0fp-65,
      -0x1.4787878787878p-64, 0x1.621e1e1e1e1e2p-63}},
}};
/// Of sqrt(x) exp(-x) I_n(x), in 16/x - 1.
inline constexpr std::array<Coefficients, 2> far = {{
    {{0x1.9be62aca809cbp-2,
      0x1.b998ca2e59048p-9,
      0x1.20fa378999e54p-14,
      0x1.8412bc101c522p-19,
      0x1.b8007d9cd64p-23,
      0x1.8569280d6c5a6p-26,
      0x1.d2c64a9242d2dp-29,
      0x1.0f9ccc0f16969p-31,
      0x1.a24feaca5a5a6p-37,
      -0x1.1511d088f0f0fp-35,
      -0x1.d0fd735969697p-37,
      -0x1.f9042ed2d2d2dp-40,
      0x1.94347fp-41,
      0x1.b1c8c85a5a5a6p-42,
      0x1.156fd4b4b4b4bp-46,
      -0x1.75d983c3c3c3cp-45,
      -0x1.58404p-47,
      0x1.12aed2d2d2d2dp-48,
      0x1.feec3c3c3c3c4p-50,
      -0x1.8ac9e1e1e1e1ep-52,
      -0x1.45fe969696969p-52,
      0x1.3fc1e1e1e1e1ep-55,
      0x1.9bc7878787878p-55,
      -0x1.5d5a5a5a5a5a6p-58,
      -0x1.0d8p-57,
      0x1.592d2d2d2d2d3p-60,
      0x1.6969696969697p-60,
      -0x1.d4b4b4b4b4b4bp-63,
      -0x1.b878787878788p-64,
      0x1.23c3c3c3c3c3cp-64,
      0x1.8p-61,
      0x1.12d2d2d2d2d2dp-65,
      -0x1.c4b4b4b4b4b4bp-64,
      0x1.4b4b4b4b4b4b5p-64}},
    {{0x1.8ea18b55b1514p-2,   -0x1.3fda053fcdb4cp-7,  -0x1.cfd7f804aa9a4p-14,
      -0x1.048df49ca039cp-18, -0x1.0dbfd2e9e5388p-22, -0x1.c415394bb50f1p-26,
      -0x1.0790b9ad4a5a6p-28, -0x1.334ca5428f0f1p-31, -0x1.4dcf9d3da5a5ap-36,
      0x1.1e1a1f0d2d2d3p-35,  0x1.f101f653c3c3cp-37,  0x1.1e7d3ff4b4b4bp-39,
      -0x1.953e10c3c3c3cp-41, -0x1.cbc456f0f0f0fp-42, -0x1.7a949c3c3c3c4p-46,
      0x1.80d3d96969697p-45,  0x1.776dde1e1e1e2p-47,  -0x1.12d5f0f0f0f0fp-48,
      -0x1.0efac3c3c3c3cp-49, 0x1.7d8e969696969p-52,  0x1.55903c3c3c3c4p-52,
      -0x1.2778787878788p-55, -0x1.aceb4b4b4b4b5p-55, 0x1.4c5a5a5a5a5a6p-58,
      0x1.135a5a5a5a5a6p-57,  -0x1.c1e1e1e1e1e1ep-61, -0x1.634b4b4b4b4b5p-60,
      0x1.5a5a5a5a5a5a6p-62,  0x1.5878787878788p-62,  -0x1.2p-64,
      0x1.5478787878788p-61,  0x1.3878787878788p-64,  -0x1.8787878787878p-64,
      0x1.c4b4b4b4b4b4bp-65}},
}};

}  // namespace onmanifold::detail::bessel
