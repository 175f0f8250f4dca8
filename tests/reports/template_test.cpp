// SPDX-License-Identifier: Apache-2.0
#include "reports/template.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "reports/text_format.hpp"
#include "tests/support/expect_throws_message.hpp"

namespace onmanifold {
namespace {

std::string filled(std::string_view source, const Value::Table& data) {
  return Template("page", source, escape_html).render(data);
}

TEST(Template, EscapesUnlessToldOtherwise) {
  EXPECT_EQ(filled("<b>{{x}}</b>{{&x}}", {{"x", "<&>"}}), "<b>&lt;&amp;&gt;</b><&>");
  EXPECT_EQ(filled("{{n}} {{f}} {{b}}", {{"n", 3}, {"f", 0.5}, {"b", true}}), "3 0.5 true");
}

TEST(Template, PartsAreRepeatedShownOrLeftOut) {
  const Value::Array items = {Value::Table{{"a", "1"}}, Value::Table{{"a", "2"}, {"b", "!"}}};
  EXPECT_EQ(filled("{{#items}}{{a}}{{b}},{{/items}}", {{"items", items}, {"b", "?"}}), "1?,2!,");
  EXPECT_EQ(filled("{{#words}}[{{.}}]{{/words}}", {{"words", Value::Array{"<", "b"}}}), "[&lt;][b]");
  for (const Value& nothing : {Value(), Value(false), Value(""), Value(Value::Array{})}) {
    EXPECT_EQ(filled("{{#x}}yes{{/x}}{{^x}}no{{/x}}", {{"x", nothing}}), "no");
  }
  EXPECT_EQ(filled("{{#x}}yes {{x}}{{/x}}{{^x}}no{{/x}}", {{"x", "it"}}), "yes it");
  EXPECT_EQ(filled("{{#x}}yes{{/x}}{{^x}}no{{/x}}", {}), "no");
}

TEST(Template, APartAloneOnItsLineLeavesNoLine) {
  EXPECT_EQ(filled("a\n{{#x}}\nb {{.}}\n  {{/x}}\nc\n", {{"x", Value::Array{1, 2}}}), "a\nb 1\nb 2\nc\n");
  EXPECT_EQ(filled("a {{#x}}\nb{{/x}}\n", {{"x", true}}), "a \nb\n");
}

TEST(Template, OtherSignsForOtherLanguages) {
  const Template page("t", "{\\bf <<x>>}<<&x>>", escape_latex, "<<", ">>");
  EXPECT_EQ(page.render(Value::Table{{"x", "a_b"}}), "{\\bf a\\_b}a_b");
}

TEST(Template, HolesAndOpenPartsAreErrors) {
  EXPECT_TRUE(throws_message<InvalidInput>([] { (void)filled("{{x}}", {}); }, {"page", "'x'"}));
  EXPECT_TRUE(throws_message<InvalidInput>([] { (void)filled("{{#x}}", {}); }, {"'x' is not closed"}));
  EXPECT_TRUE(throws_message<InvalidInput>([] { (void)filled("{{#x}}{{/y}}", {}); }, {"'y' closes the part 'x'"}));
  EXPECT_TRUE(throws_message<InvalidInput>([] { (void)filled("{{x", {}); }, {"not closed"}));
}

}  // namespace
}  // namespace onmanifold
