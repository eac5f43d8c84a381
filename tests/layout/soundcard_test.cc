#include "oss/soundcard.h"

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

namespace {

using namespace ossloop::oss;

constexpr bool kLongIs64 = sizeof(long) == 8;

// The compiler is the test: a changed number or field does not get past it.
#define OSS_CONSTANT(name, lp64, ilp32) \
  static_assert(std::uint64_t{name} == (kLongIs64 ? (lp64) : (ilp32)), #name);
#define OSS_STRUCT(name, size64, size32)                                   \
  static_assert(sizeof(name) == (kLongIs64 ? (size64) : (size32)), #name); \
  static_assert(std::is_trivial_v<name> && std::is_standard_layout_v<name>, #name);
#define OSS_FIELD(name, field, type, extents, offset64, size64, offset32, size32)                  \
  static_assert(std::is_same_v<decltype(name::field), type extents>, #name "." #field);            \
  static_assert(offsetof(name, field) == (kLongIs64 ? (offset64) : (offset32)), #name "." #field); \
  static_assert(sizeof(name::field) == (kLongIs64 ? (size64) : (size32)), #name "." #field);
#include "soundcard_facts.h"
#undef OSS_CONSTANT
#undef OSS_STRUCT
#undef OSS_FIELD

// The rows of a reference table, fields joined by blanks, without its heading.
std::multiset<std::string> reference_rows(const std::string& file) {
  std::ifstream input(OSSLOOP_SOURCE_DIR "/tests/layout/reference/" + file);
  std::multiset<std::string> rows;
  bool heading = true;
  for (std::string line; std::getline(input, line);) {
    if (line.empty() || line[0] == '#') continue;
    if (!heading) rows.insert(line);
    heading = false;
  }
  return rows;
}

std::string join(const std::vector<std::string>& columns) {
  std::string row;
  for (const std::string& column : columns) row += (row.empty() ? "" : "\t") + column;
  return row;
}

// A field's type in the words of the reference table.
std::string c_type(const std::string& type, const std::string& extents) {
  std::string name = type == "char"             ? "char"
                     : type == "std::uint8_t"   ? "unsigned char"
                     : type == "std::int16_t"   ? "short"
                     : type == "std::int32_t"   ? "int"
                     : type == "std::uint32_t"  ? "unsigned int"
                     : type == "std::int64_t"   ? "long long"
                     : type == "std::uint32_t*" ? "unsigned int *"
                                                : "?";
  return extents.empty() ? name : name + " " + extents;
}

}  // namespace

TEST_CASE("every row of the reference tables is among the proven facts, and nothing else") {
  std::multiset<std::string> constants, structs;
#define OSS_CONSTANT(name, lp64, ilp32) constants.insert(join({#name, #lp64, #ilp32}));
#define OSS_STRUCT(name, size64, size32) \
  structs.insert(join({#name, ".", "0", #size64, "struct", "0", #size32}));
#define OSS_FIELD(name, field, type, extents, offset64, size64, offset32, size32) \
  structs.insert(                                                                 \
      join({#name, #field, #offset64, #size64, c_type(#type, #extents), #offset32, #size32}));
#include "soundcard_facts.h"
#undef OSS_CONSTANT
#undef OSS_STRUCT
#undef OSS_FIELD
  CHECK(constants.size() > 300);
  CHECK(structs.size() > 150);
  CHECK(constants == reference_rows("oss4-constants.tsv"));
  CHECK(structs == reference_rows("oss4-structs.tsv"));
}

TEST_CASE("a request code can be taken apart again") {
  CHECK(request_direction(SNDCTL_DSP_GETOSPACE) == RequestDirection::kRead);
  CHECK(request_argument_bytes(SNDCTL_DSP_GETOSPACE) == sizeof(audio_buf_info));
  CHECK(request_family(SNDCTL_DSP_GETOSPACE) == 'P');
  CHECK(request_number(SNDCTL_DSP_GETOSPACE) == 12);
  CHECK(request_direction(SNDCTL_DSP_HALT) == RequestDirection::kPlain);
  CHECK(request_argument_bytes(SNDCTL_DSP_HALT) == 0);
  CHECK(request_direction(SNDCTL_SETSONG) == RequestDirection::kWrite);
  CHECK(request_direction(SNDCTL_DSP_SPEED) == RequestDirection::kBoth);
}
