// SPDX-License-Identifier: Apache-2.0
// Values hidden by the names they stand behind: in JSON, in JSON within a shell's string, in
// literals.
#include <gtest/gtest.h>

#include <chrono>

#include "userspace/attribution/redact.h"

namespace {

using ambit::attribution::presentable;
using ambit::attribution::redact;

struct Case {
  std::string given;
  std::string expected;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.given; }

class RedactValues : public testing::TestWithParam<Case> {};

TEST_P(RedactValues, HidesExactlyTheValue) {
  EXPECT_EQ(redact({"x", GetParam().given}).at(1), GetParam().expected);
}

TEST_P(RedactValues, ChangesNothingTheSecondTime) {
  EXPECT_EQ(redact({"x", GetParam().expected}).at(1), GetParam().expected);
}

TEST_P(RedactValues, HidesWhereTheTextIsCutShort) {
  const std::string& given = GetParam().given;
  const std::size_t secret = given.find("SECRET");
  for (std::size_t size = secret + 6; size < given.size(); ++size) {
    EXPECT_FALSE(redact({"x", given.substr(0, size)}).at(1).contains("SECRET")) << size;
  }
}

INSTANTIATE_TEST_SUITE_P(
    ShellStrings, RedactValues,
    testing::Values(Case{R"(curl -d "{\"api_key\": \"SECRET\"}" h)",
                         R"(curl -d "{\"api_key\": [redacted]}" h)"},
                    Case{R"(curl -d "{\"password\":\"SECRET\",\"n\":1}")",
                         R"(curl -d "{\"password\":[redacted],\"n\":1}")"},
                    Case{R"(curl -d "{\"a\":\"b\",\"token\":\"SECRET\"}")",
                         R"(curl -d "{\"a\":\"b\",\"token\":[redacted]}")"},
                    Case{R"(curl -d "{\"client_secret\":\"SECRET\"}")",
                         R"(curl -d "{\"client_secret\":[redacted]}")"},
                    Case{R"(curl -d "{\"headers\":{\"Cookie\":\"sid=SECRET\",\"Accept\":\"*\"}}")",
                         R"(curl -d "{\"headers\":{\"Cookie\":[redacted],\"Accept\":\"*\"}}")"},
                    Case{R"(ssh h 'curl -d "{\"api_key\":\"SECRET\"}"')",
                         R"(ssh h 'curl -d "{\"api_key\":[redacted]}"')"},
                    Case{R"(ssh h "curl -d \"{\\\"token\\\":\\\"SECRET\\\",\\\"n\\\":1}\"")",
                         R"(ssh h "curl -d \"{\\\"token\\\":[redacted],\\\"n\\\":1}\"")"},
                    Case{R"(ssh h "export API_TOKEN=\"SECRET\"; ls")",
                         R"(ssh h "export API_TOKEN=[redacted]; ls")"},
                    Case{R"(curl -d "{\"password\":\"a\\\"SECRET\",\"n\":1}")",
                         R"(curl -d "{\"password\":[redacted],\"n\":1}")"},
                    Case{R"(curl -d '{"password":"'"SECRET"'","n":1}' h)",
                         R"(curl -d '{"password":[redacted],"n":1}' h)"},
                    Case{R"(mysql -px{"password": "SECRET"})", R"(mysql -p[redacted] [redacted]})"},
                    Case{R"(curl -d 'user[password]=SECRET' -d 'n=1')",
                         R"(curl -d 'user[password]=[redacted]' -d 'n=1')"},
                    Case{R"(curl -d "{\"password\":[\"SECRET\",\"SECRET\"]}")",
                         R"(curl -d "{\"password\":[redacted]}")"}));

INSTANTIATE_TEST_SUITE_P(
    Json, RedactValues,
    testing::Values(
        Case{R"({"password":["SECRET","SECRET2"]})", R"({"password":[redacted]})"},
        Case{R"({"token":{"value":"SECRET"},"n":1})", R"({"token":[redacted],"n":1})"},
        Case{R"({"secret":["SECRET"]})", R"({"secret":[redacted]})"},
        Case{R"({"passwords":{"a":"SECRET"}})", R"({"passwords":[redacted]})"},
        Case{R"({"credentials":"SECRET"})", R"({"credentials":[redacted]})"},
        Case{R"({"auth":"SECRET"})", R"({"auth":[redacted]})"},
        Case{R"({"pw":"SECRET"})", R"({"pw":[redacted]})"},
        Case{R"({"token":["}]SECRET",{"a":["\"]}SECRET"]}],"n":1})",
             R"({"token":[redacted],"n":1})"},
        Case{R"({"name":"DB_PASSWORD","value":"SECRET"})",
             R"({"name":"DB_PASSWORD","value":[redacted]})"},
        Case{R"([{"name":"HOME","value":"/a"},{"name":"API_TOKEN","value":"SECRET"}])",
             R"([{"name":"HOME","value":"/a"},{"name":"API_TOKEN","value":[redacted]}])"},
        Case{R"({"key":"Authorization","value":"Bearer SECRET"})",
             R"({"key":"Authorization","value":[redacted]})"},
        Case{R"({"Authorization":"Basic SECRET","n":1})", R"({"Authorization":[redacted],"n":1})"},
        Case{R"({"body":"{\"password\":\"SECRET\"}"})", R"({"body":"{\"password\":[redacted]}"})"},
        Case{R"({"auths":{"r.example":{"auth":"SECRET"}}})",
             R"({"auths":{"r.example":{"auth":[redacted]}}})"},
        Case{"{\"password\" :\n \"SECRET\"\n}", "{\"password\" :\n [redacted]\n}"},
        Case{R"({"token":"a"b"password": "SECRET"})", R"({"token":[redacted]: [redacted]})"},
        Case{R"({"password":"SECRET"} {"name":)", R"({"password":[redacted]} {"name":)"}));

INSTANTIATE_TEST_SUITE_P(
    Literals, RedactValues,
    testing::Values(
        Case{R"({'password': ['SECRET', "it's"], 'n': 1})", R"({'password': [redacted], 'n': 1})"},
        Case{R"({'token': u'SECRET', 'n': b'1'})", R"({'token': [redacted], 'n': b'1'})"},
        Case{R"(get(headers={"Authorization": "Bearer SECRET"}, auth=("a", "SECRET")))",
             R"(get(headers={"Authorization": [redacted]}, auth=("a", [redacted])))"},
        Case{R"({'password' => 'SECRET', 'n' => 1})", R"({'password' => [redacted], 'n' => 1})"},
        Case{R"(os.environ["API_TOKEN"] = "SECRET"; run())",
             R"(os.environ["API_TOKEN"] = [redacted]; run())"},
        Case{"user[name]=a&user[password]=SECRET&x=1",
             "user[name]=a&user[password]=[redacted]&x=1"},
        Case{R"(connect(password=["SECRET"], port=1))",
             R"(connect(password=[redacted], port=1))"}));

TEST(RedactValuesOfPairs, HidesAValueThatStandsBeforeItsName) {
  EXPECT_EQ(redact({"x", R"({ "Value" : "SECRET", "n": {"a": 1}, "Name" : "db_password" })"}).at(1),
            R"({ "Value" : [redacted], "n": {"a": 1}, "Name" : "db_password" })");
  EXPECT_EQ(redact({"x", R"({"value":{"a":["SECRET"]},"n":1,"name":"token"})"}).at(1),
            R"({"value":[redacted],"n":1,"name":"token"})");
}

class RedactNoValue : public testing::TestWithParam<std::string> {};

TEST_P(RedactNoValue, InOrdinaryText) { EXPECT_EQ(redact({"x", GetParam()}).at(1), GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    Ordinary, RedactNoValue,
    testing::Values(R"({"model":"m","max_tokens":4096,"stop_tokens":["a"],"tokens":17})",
                    R"({"name":"HOME","value":"/root"})", R"({"key":"a","value":"b"})",
                    R"({"author":"a","keys":["b"],"key":"c","passed":[1]})",
                    R"({"auth":true,"cookies":false,"secretName":"a","tokenizer":{"b":"c"}})",
                    R"(curl -d "{\"a\": \"b\", \"c\": [1, 2]}" h)", R"(d["password"] == x["y"])",
                    R"(tokens = [1, 2]; auth: [basic])", R"([[ $a == "b" ]] && echo "c: d")",
                    "-o json={.items[*].metadata.name}", "a:b=c:{d}", R"(\":\"=\{)"));

TEST(RedactValuesHostile, StaysCheapForTextThatOpensAndNeverCloses) {
  (void)presentable({"warm", "up"});
  const std::vector<std::string> units{R"({"value":)",      R"({"name":"token","value":")",
                                       R"("token":[)",      R"({"a":{"value":"\"value\":\")",
                                       R"(\"value\":\\\")", R"(\\\\\\\)",
                                       R"('value':'")",     "=  "};
  for (const std::string& unit : units) {
    std::string text;
    while (text.size() < 65536) {
      text += unit;
    }
    const auto before = std::chrono::steady_clock::now();
    (void)presentable({"sh", text, text, text, text});
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(1)) << unit;
  }
}

}  // namespace
