// SPDX-License-Identifier: Apache-2.0
#include "metrics/registry.hpp"

#include <gtest/gtest.h>

#include "tests/metrics/metric_fixtures.hpp"

namespace onmanifold::test {
namespace {

TEST(MetricList, ReadsNamesAndSettings) {
  const auto specs =
      parse_metric_list("mmd2_rbf_unbiased(sigma=1), coverage(k=5,closed=true),tvd(bins=20),mmd2_rbf_biased()");
  ASSERT_EQ(specs.size(), 4U);
  EXPECT_EQ(specs[0].name, "mmd2_rbf_unbiased");
  EXPECT_EQ(specs[0].settings.at("sigma"), Value(1));
  EXPECT_EQ(specs[1].settings.at("k"), Value(5));
  EXPECT_EQ(specs[1].settings.at("closed"), Value(true));
  EXPECT_EQ(specs[2].settings.at("bins"), Value(20));
  EXPECT_TRUE(specs[3].settings.empty());
  EXPECT_EQ(parse_metric_list("a(x=-1.5e-3)")[0].settings.at("x"), Value(-1.5e-3));
  EXPECT_EQ(parse_metric_list("a(x=\"b, (c)\")")[0].settings.at("x"), Value("b, (c)"));
}

TEST(MetricList, RejectsWhatItCannotRead) {
  for (const char* bad : {"", ",", "tvd,", "tvd(", "tvd)", "tvd(bins)", "tvd(bins=)", "tvd(bins=1)x",
                          "tvd(bins=1,bins=2)", "tvd(=1)", "tvd(bins=1;2)", "tvd(x=\"a)", "a b", "tvd(x=inf)"}) {
    EXPECT_THROW(static_cast<void>(parse_metric_list(bad)), InvalidInput) << bad;
  }
}

TEST(MakeMetric, NamesUnknownMetricsAndSettings) {
  for (const char* bad :
       {"nonsense", "tvd(bims=3)", "coverage(k=0)", "coverage(k=2.5)", "mmd2_rbf_biased(sigma=-1)",
        "mmd2_rbf_biased(sigma=1,bandwidth=median)", "mmd2_rbf_biased(bandwidth=mean)", "train_copy_rate(p=2)"}) {
    EXPECT_THROW(static_cast<void>(metric_of(bad)), InvalidInput) << bad;
  }
  try {
    static_cast<void>(metric_of("nonsense"));
  } catch (const InvalidInput& error) {
    EXPECT_NE(std::string(error.what()).find("tvd"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace onmanifold::test
