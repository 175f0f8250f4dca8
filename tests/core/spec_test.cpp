// SPDX-License-Identifier: Apache-2.0
#include "core/spec.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/support/expect_throws_message.hpp"

namespace onmanifold {
namespace {

bool runs_on(std::string_view key) {
  return key == "path";
}

const SpecRules rules{
    .kind = "thing", .is_text = [](std::string_view key) { return key == "axes"; }, .takes_rest = runs_on};

TEST(Spec, BothFormsSayTheSame) {
  const Spec round = parse_spec(" tvd( bins = 20, closed=true ,x=-1.5e-3,text=a.b/c:1) ", rules);
  EXPECT_EQ(round.name, "tvd");
  const Value::Table expected = {{"bins", 20}, {"closed", true}, {"x", -1.5e-3}, {"text", "a.b/c:1"}};
  EXPECT_EQ(round.settings, expected);
  EXPECT_EQ(parse_spec("tvd:bins=20,closed=true,x=-1.5e-3,text=a.b/c:1", rules).settings, expected);
  EXPECT_EQ(parse_spec("flux-mnist14", rules).name, "flux-mnist14");
  EXPECT_TRUE(parse_spec("tvd()", rules).settings.empty());
  EXPECT_TRUE(parse_spec("tvd:", rules).settings.empty());
}

TEST(Spec, QuotesAndKeysThatTakeTheRest) {
  EXPECT_EQ(parse_spec("a(x=\"b, (c)\")", rules).settings.at("x"), Value("b, (c)"));
  const Spec mesh = parse_spec("mesh:area=2,path=/a b/x,y=(1).off", rules);
  EXPECT_EQ(mesh.settings.at("area"), Value(2));
  EXPECT_EQ(mesh.settings.at("path"), Value("/a b/x,y=(1).off"));
  EXPECT_EQ(parse_spec("e:axes=1", rules).settings.at("axes"), Value("1"));  // text, also where it looks like a number
  EXPECT_EQ(parse_spec("e:other=1", rules).settings.at("other"), Value(1));
}

TEST(Spec, MessagesNameTheTextAndTheFault) {
  const std::pair<const char*, const char*> cases[] = {{"a(", "thing 'a(': expected a(key=value,...)"},
                                                       {"a(x=1)b", "expected a(key=value,...)"},
                                                       {"a)", "a name is made of"},
                                                       {"a b", "a name is made of"},
                                                       {"a(x)", "expected key=value, found 'x'"},
                                                       {"a:x,y=1", "expected key=value, found 'x'"},
                                                       {"a(=1)", "expected key=value, found '=1'"},
                                                       {"a(x=)", "no value for x"},
                                                       {"a(x=1,x=2)", "x is given twice"},
                                                       {"a:x=1,", "it ends with a comma"},
                                                       {"a(x=1;2)", "cannot read the value '1;2'"},
                                                       {"a(x=\"b)", "unmatched '\"'"},
                                                       {"a(x=inf)", "'inf' is not a finite number"}};
  for (const auto& [text, part] : cases) {
    EXPECT_TRUE(throws_message<InvalidInput>([&] { (void)parse_spec(text, rules); }, {part})) << text;
  }
}

TEST(SpecList, SplitsAtCommasOutsideParentheses) {
  const std::vector<Spec> specs = parse_spec_list("a(x=1,y=2), b,c(t=\"1,2\")", rules);
  ASSERT_EQ(specs.size(), 3U);
  EXPECT_EQ(specs[0].settings.size(), 2U);
  EXPECT_EQ(specs[1].name, "b");
  EXPECT_EQ(specs[2].settings.at("t"), Value("1,2"));
  for (const char* bad : {"", ",", "a,", "a,,b", "(x=1)", "a(", "a)"}) {
    EXPECT_THROW(static_cast<void>(parse_spec_list(bad, rules)), InvalidInput) << bad;
  }
}

}  // namespace
}  // namespace onmanifold
