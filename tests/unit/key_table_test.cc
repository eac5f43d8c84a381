// The documents tell of each key what the table tells: a row that one of them lacks, or
// has elsewhere, or with other values, fails here; README.md alone may lack some.
#include "config/key_table.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "config/config.h"
#include "config_text.h"

using namespace ossloop::config;
using ossloop::test::format_value;

namespace {

std::vector<std::string> lines_of(const std::string& file) {
  std::ifstream input(std::string(OSSLOOP_SOURCE_DIR) + "/" + file);
  REQUIRE(input);
  std::vector<std::string> lines;
  for (std::string line; std::getline(input, line);) lines.push_back(line);
  return lines;
}

// What a document tells of a key, in its order.
struct Told {
  std::string key, values, initial;

  bool operator==(const Told&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Told& told) {
  return out << told.key << " (" << told.values << "; default " << told.initial << ")";
}

Told told_by_table(const Key& key) {
  return {std::string(key.name), accepted_values(key.name), format_value(Config{}, key.name)};
}

std::vector<Told> whole_table() {
  std::vector<Told> all;
  for (const Key& key : kKeys) all.push_back(told_by_table(key));
  return all;
}

// What the lines tell that match `pattern`, whose groups are a Told's members. Marks of
// the document's own are left out of them.
std::vector<Told> told_by(const std::vector<std::string>& lines, const char* pattern,
                          char mark = '\0') {
  std::vector<Told> all;
  for (const std::string& line : lines) {
    std::smatch part;
    if (!std::regex_match(line, part, std::regex(pattern))) continue;
    Told told{part[1], part[2], part[3]};
    for (std::string* text : {&told.values, &told.initial}) std::erase(*text, mark);
    all.push_back(told);
  }
  return all;
}

}  // namespace

TEST_CASE("README's table of keys tells of some what that of the sources does") {
  const std::vector<Told> shown =
      told_by(lines_of("README.md"), R"(\| `([a-z_]+)` \| ([^|]+) \| ?([^|]*?) ?\| .+ \|)", '`');
  std::vector<Told> expected;
  for (const Told& row : whole_table()) {
    const auto same = [&row](const Told& told) { return told.key == row.key; };
    if (std::any_of(shown.begin(), shown.end(), same)) expected.push_back(row);
  }
  CHECK(shown == expected);
  CHECK(shown.size() >= 8);
}

TEST_CASE("the manual lists the policies, then the other keys, as the table does") {
  std::vector<Told> expected;
  for (const Scope scope : {Scope::kInstance, Scope::kGlobal}) {
    for (const Key& key : kKeys) {
      if (key.scope == scope) expected.push_back(told_by_table(key));
      if (key.scope == scope && expected.back().initial.empty())
        expected.back().initial = "nothing";
    }
  }
  CHECK(told_by(lines_of("tools/man/ossloop.7"), R"re(\.BR ([a-z_]+) " \((.+); default (.+)\)")re",
                '\\') == expected);
}

TEST_CASE("the manual of ossloopctl names the policies that do not change at once") {
  const std::vector<std::string> lines = lines_of("tools/man/ossloopctl.1");
  std::set<std::string> bold;
  for (auto line = std::find(lines.begin(), lines.end(), R"(.BI set \~N\~key = value\~\fR...)");
       line != lines.end() && *line != ".TP"; ++line) {
    if (line->starts_with(".B ")) bold.insert(line->substr(3));
  }
  std::set<std::string> expected;
  for (const Key& key : kKeys) {
    if (key.effect != Effect::kAtOnce) expected.insert(std::string(key.name));
  }
  CHECK(bold == expected);
}

TEST_CASE("the shipped file shows every key in order, its values and its default") {
  std::vector<Told> shown;
  std::string before, uncommented;
  for (const std::string& line : lines_of("conf/oss_audioloop.conf")) {
    std::smatch part;
    if (std::regex_match(line, part, std::regex("#([a-z_]+)=(.*)"))) {
      INFO(line);
      REQUIRE(before.starts_with("# Takes "));
      shown.push_back({part[1], before.substr(8, before.size() - 9), part[2]});
      uncommented += line.substr(1) + "\n";
    }
    before = line;
  }
  CHECK(shown == whole_table());
  std::vector<Diagnostic> diagnostics;
  CHECK(parse_config(uncommented, "conf", diagnostics) == Config{});
  CHECK(diagnostics.empty());
}

TEST_CASE("every policy has a word of its own in a segment, for its whole range") {
  for (const bool highest : {true, false}) {
    ossloop::abi::Policy words{};
    for (const Key& key : kKeys) {
      if (key.scope == Scope::kInstance) key.store(words, highest ? key.maximum : key.minimum);
    }
    for (const Key& key : kKeys) {
      if (key.scope != Scope::kInstance) continue;
      INFO(key.name);
      CHECK(key.load(words) == (highest ? key.maximum : key.minimum));
    }
  }
}
