#include "config/config.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <set>
#include <string>

#include "config_text.h"

using namespace ossloop::test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

// What is said about a text with exactly one bad line that changes nothing.
std::string complaint(std::string_view text) {
  INFO(std::string(text.substr(0, 100)));
  const Parsed parsed = parse(text);
  REQUIRE(parsed.diagnostics.size() == 1);
  CHECK(parsed.config == Config{});
  const std::string said = parsed.diagnostics.front().text;
  CHECK(said.size() < 400);
  CHECK(std::all_of(said.begin(), said.end(), [](char c) { return c >= ' ' && c <= '~'; }));
  return said;
}

// A value of a policy that is accepted and is not the default.
std::string another_value(const Key& key) {
  if (key.kind == ValueKind::kClock) return "4.5";
  InstancePolicy policy;
  policy[key] = key.initial == key.maximum ? key.minimum : key.maximum;
  return format_policy_value(policy, key.name);
}

}  // namespace

TEST_CASE("an empty configuration gives the documented defaults") {
  const Config config = good("");
  CHECK(config.instances == 1);
  CHECK(config.dsp == DefaultDevice{false, DeviceKind::kClient, 0});
  CHECK(config.mode == 0600);
  CHECK(config.runtime_dir.empty());
  for (const InstancePolicy& policy : config.policy) {
    CHECK(get<"eof", Eof>(policy) == Eof::kReset);
    CHECK(get<"underrun", Underrun>(policy) == Underrun::kSilence);
    CHECK(get<"overrun", Overrun>(policy) == Overrun::kWait);
    CHECK(get<"clock">(policy) == 1000);
    CHECK(get<"ppm">(policy) == 0);
    CHECK(get<"quality">(policy) == 3);
    CHECK(get<"tick_ms">(policy) == 10);
    CHECK(get<"buffer_ms">(policy) == 340);
    CHECK_FALSE(get<"dither">(policy));
  }
}

TEST_CASE("every key is read into its field") {
  const Config config = good(
      "audioloop_instances=16\ndsp=server3\nmode=0660\nruntime_dir=/run/loop\neof=silence\n"
      "underrun=stall\noverrun=drop\nclock=0.5\nppm=-200000\nquality=very-high\ntick_ms=1\n"
      "buffer_ms=5000\ndither=tpdf");
  CHECK(config.instances == 16);
  CHECK(config.dsp == DefaultDevice{false, DeviceKind::kServer, 3});
  CHECK(config.mode == 0660);
  CHECK(config.runtime_dir == "/run/loop");
  for (const InstancePolicy& policy : config.policy) {
    CHECK(get<"eof", Eof>(policy) == Eof::kSilence);
    CHECK(get<"underrun", Underrun>(policy) == Underrun::kStall);
    CHECK(get<"overrun", Overrun>(policy) == Overrun::kDrop);
    CHECK(get<"clock">(policy) == 500);
    CHECK(get<"ppm">(policy) == -200000);
    CHECK(get<"quality">(policy) == 4);
    CHECK(get<"tick_ms">(policy) == 1);
    CHECK(get<"buffer_ms">(policy) == 5000);
    CHECK(get<"dither">(policy));
  }
}

TEST_CASE("words of a choice stand for the values in their order") {
  CHECK(get<"eof", Eof>(good("eof=reset").policy[0]) == Eof::kReset);
  CHECK(get<"eof", Eof>(good("eof=eof").policy[0]) == Eof::kEof);
  CHECK(get<"eof", Eof>(good("eof=wait").policy[0]) == Eof::kWait);
  CHECK(get<"quality">(good("quality=quick").policy[0]) == 0);
  CHECK(get<"quality">(good("quality=low").policy[0]) == 1);
  CHECK(get<"quality">(good("quality=medium").policy[0]) == 2);
  CHECK(get<"quality">(good("quality=high").policy[0]) == 3);
}

TEST_CASE("blanks, comments, empty lines, CRLF and a missing last newline do not matter") {
  const Config config = good(
      "# a comment\r\n   # another = one\n\n \t \r\n  eof \t=  eof \t\r\n\tppm=+5\n#eof=wait\n"
      "tick_ms=20");
  CHECK(get<"eof", Eof>(config.policy[0]) == Eof::kEof);
  CHECK(get<"ppm">(config.policy[0]) == 5);
  CHECK(get<"tick_ms">(config.policy[0]) == 20);
}

TEST_CASE("a value may contain blanks and equals signs inside") {
  CHECK(good("runtime_dir=/run/my loops/a=b").runtime_dir == "/run/my loops/a=b");
}

TEST_CASE("a setting of one instance wins over the common one in either order") {
  for (const char* text : {"eof=eof\nloop2.eof=wait\n", "loop2.eof=wait\neof=eof\n"}) {
    const Config config = good(text);
    CHECK(get<"eof", Eof>(config.policy[2]) == Eof::kWait);
    CHECK(get<"eof", Eof>(config.policy[0]) == Eof::kEof);
    CHECK(get<"eof", Eof>(config.policy[15]) == Eof::kEof);
  }
  CHECK(get<"tick_ms">(good("loop15.tick_ms=1\nloop0.tick_ms=2").policy[15]) == 1);
}

TEST_CASE("an instance that does not exist yet can have settings") {
  CHECK(get<"ppm">(good("audioloop_instances=1\nloop9.ppm=7").policy[9]) == 7);
}

TEST_CASE("of equal names the last good line wins") {
  CHECK(get<"ppm">(good("ppm=1\nppm=2").policy[0]) == 2);
  CHECK(get<"ppm">(good("loop1.ppm=1\nloop1.ppm=2").policy[1]) == 2);
  const Parsed parsed = parse("ppm=1\nppm=much\nloop1.ppm=4\nloop1.ppm=");
  CHECK(parsed.diagnostics.size() == 2);
  CHECK(get<"ppm">(parsed.config.policy[0]) == 1);
  CHECK(get<"ppm">(parsed.config.policy[1]) == 4);
}

TEST_CASE("the clock is real time, free, or a factor to the thousandth") {
  CHECK(good("clock=realtime").policy[0] == InstancePolicy{});
  CHECK(get<"clock">(good("clock=free").policy[0]) == kFreeClock);
  CHECK(get<"clock">(good("clock=4").policy[0]) == 4000);
  CHECK(get<"clock">(good("clock=0.001").policy[0]) == 1);
  CHECK(get<"clock">(good("clock=1.25").policy[0]) == 1250);
  CHECK(get<"clock">(good("clock=1000").policy[0]) == 1000000);
  for (const char* text : {"clock=0", "clock=0.0001", "clock=1000.001", "clock=1001", "clock=-1",
                           "clock=4x", "clock=.", "clock=1,5", "clock=1e3", "clock=nan"}) {
    CHECK_THAT(complaint(text), Contains("realtime, free or a factor from 0.001 to 1000"));
  }
  InstancePolicy policy;
  std::string why;
  REQUIRE(set_policy(policy, "clock", "4", why));
  REQUIRE(set_policy(policy, "clock", "free", why));
  REQUIRE(set_policy(policy, "clock", "realtime", why));
  CHECK(policy == InstancePolicy{});
}

TEST_CASE("the edges of every range are accepted and what lies beyond is not") {
  struct Range {
    const char* key;
    long low, high;
  };
  for (const Range& range : {Range{"audioloop_instances", 1, 16}, Range{"ppm", -200000, 200000},
                             Range{"tick_ms", 1, 100}, Range{"buffer_ms", 20, 5000}}) {
    const std::string key = range.key;
    good(key + "=" + std::to_string(range.low));
    good(key + "=" + std::to_string(range.high));
    const std::string expected =
        "an integer from " + std::to_string(range.low) + " to " + std::to_string(range.high);
    for (const std::string& value :
         {std::to_string(range.low - 1), std::to_string(range.high + 1), std::string(),
          std::string("-"), std::string("4294967297"), std::string("18446744073709551617"),
          std::string("1.0"), std::string("0x10"), std::string("2 2"), std::string("ten")}) {
      CHECK_THAT(complaint(key + "=" + value), Contains(expected));
    }
  }
}

TEST_CASE("a mode is one of the two that make sense") {
  CHECK(good("mode=600").mode == 0600);
  CHECK(good("mode=660").mode == 0660);
  for (const char* text :
       {"mode=0666", "mode=0777", "mode=00600", "mode=", "mode=384", "mode=6 0"}) {
    CHECK_THAT(complaint(text), Contains("expected 0600 or 0660"));
  }
}

TEST_CASE("a runtime folder is an absolute path or nothing") {
  CHECK(good("runtime_dir=").runtime_dir.empty());
  CHECK(good("runtime_dir=/x\nruntime_dir=").runtime_dir.empty());
  CHECK_THAT(complaint("runtime_dir=run"), Contains("an absolute path"));
  CHECK_THAT(complaint("runtime_dir=/" + std::string(5000, 'x')), Contains("an absolute path"));
  CHECK_THAT(complaint("runtime_dir=/a\x01"
                       "b"),
             Contains("\\x01"));
  CHECK_THAT(complaint(std::string_view("runtime_dir=/a\0b", 16)), Contains("\\x00"));
}

TEST_CASE("a complaint names file, line, what was wrong and what is accepted") {
  CHECK(complaint("\n# x\neof=end\n") ==
        "test.conf:3: bad value 'end' for eof; expected reset, eof, silence or wait");
  CHECK(
      complaint("dsp=dsp0") ==
      "test.conf:1: bad value 'dsp0' for dsp; expected pcm0 to pcm15, server0 to server15 or off");
  CHECK_THAT(complaint("hello"), StartsWith("test.conf:1: no '=' in 'hello'; expected name=value"));
  CHECK_THAT(complaint("tick=5"), StartsWith("test.conf:1: unknown key 'tick'; expected one of "));
  CHECK_THAT(complaint("loop3.overrun=maybe"),
             Contains("'maybe' for overrun; expected wait or drop"));
}

TEST_CASE("old spellings of a value are understood, and told by the new name") {
  for (const auto& [text, name] : {std::pair{"on", "tpdf"}, {"off", "none"}, {"tpdf", "tpdf"}}) {
    InstancePolicy policy;
    std::string expected;
    REQUIRE(set_policy(policy, "dither", text, expected));
    CHECK(format_policy_value(policy, "dither") == name);
  }
}

TEST_CASE("the names of keys and values are exact") {
  for (const char* text :
       {"EOF=eof", "eof=EOF", "eof=", "=eof", "=", "eof", "eof:eof", "quality=very", "quality=3",
        "dither=yes", "eof=eof # why", "e of=eof"}) {
    complaint(text);
  }
}

TEST_CASE("settings of an instance need a number from 0 to 15 and a key that instances have") {
  for (const char* text : {"loop16.eof=eof", "loop.eof=eof", "loop-1.eof=eof", "loop01.eof=eof",
                           "loopx.eof=eof", "loop1 .eof=eof", "loop99999999999.eof=eof"}) {
    CHECK_THAT(complaint(text), Contains("with N from 0 to 15"));
  }
  for (const char* text : {"loop1.dsp=off", "loop1.mode=0660", "loop1.runtime_dir=/x",
                           "loop1.audioloop_instances=2"}) {
    CHECK_THAT(complaint(text), Contains("without loopN"));
  }
  for (const char* text : {"loop1.=eof", "loop1.end=eof", "loop1.loop1.eof=eof", "loop1.eof.x=eof",
                           "loop1=eof", "loop=eof"}) {
    CHECK_THAT(complaint(text), Contains("unknown key"));
  }
}

TEST_CASE("a line of a megabyte, NUL bytes and binary rubbish are each one short complaint") {
  complaint(std::string(1 << 20, 'x'));
  complaint("eof=" + std::string(1 << 20, 'x'));
  complaint(std::string(1 << 20, '='));
  complaint("loop" + std::string(1 << 20, '1') + ".eof=eof");
  complaint(std::string(1000, '\0'));
  complaint(std::string_view("eof\0=eof", 8));
  complaint(std::string_view("eof=eof\0", 8));
  complaint("\xff\xfe\x80=\xc3\x28");
}

TEST_CASE("a bad line does not disturb the good ones around it") {
  const Parsed parsed = parse("ppm=3\nrubbish\ntick_ms=0\neof=eof\n");
  REQUIRE(parsed.diagnostics.size() == 2);
  CHECK_THAT(parsed.diagnostics[0].text, StartsWith("test.conf:2: "));
  CHECK_THAT(parsed.diagnostics[1].text, StartsWith("test.conf:3: "));
  CHECK(get<"ppm">(parsed.config.policy[0]) == 3);
  CHECK(get<"tick_ms">(parsed.config.policy[0]) == 10);
  CHECK(get<"eof", Eof>(parsed.config.policy[0]) == Eof::kEof);
}

TEST_CASE("random text never yields a configuration out of range") {
  std::mt19937 random(1);
  const std::vector<std::string> pieces = {
      "eof",        "=",      "\n",   " ",      "loop", "1",   ".",       "ppm",      "-",
      "9999999999", "#",      "\r",   "free",   "dsp",  "pcm", "tick_ms", "server",   "buffer_ms=",
      "0",          "clock=", "mode", "\x80\t", "off",  "/",   "6600",    "\n\nppm=", "loop3."};
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (unsigned length = random() % 30; length > 0; --length) {
      text += pieces[random() % pieces.size()];
    }
    if (round % 3 == 0 && !text.empty()) text[random() % text.size()] = static_cast<char>(random());
    const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
    const Parsed parsed = parse(text);
    bool sane = parsed.diagnostics.size() <= lines && parsed.config.instances >= 1 &&
                parsed.config.instances <= kMaxInstances && parsed.config.dsp.instance >= 0 &&
                parsed.config.dsp.instance < kMaxInstances;
    for (const InstancePolicy& policy : parsed.config.policy) {
      for (const Key& key : kKeys) {
        sane = sane && (key.scope == Scope::kGlobal || key.in_range(policy[key]));
      }
    }
    if (!sane) FAIL("out of range after: " + text);
  }
}

TEST_CASE("a policy is set by key and value, or stays as it was with one line why") {
  InstancePolicy policy;
  std::string why;
  REQUIRE(set_policy(policy, "overrun", "drop", why));
  CHECK(get<"overrun", Overrun>(policy) == Overrun::kDrop);
  const InstancePolicy before = policy;
  CHECK_FALSE(set_policy(policy, "overrun", "never", why));
  CHECK(why == "bad value 'never' for overrun; expected wait or drop");
  CHECK_FALSE(set_policy(policy, "overruns", "drop", why));
  CHECK_THAT(why, StartsWith("unknown key 'overruns'; expected one of eof, underrun, "));
  CHECK_FALSE(set_policy(policy, "mode", "0660", why));
  CHECK_THAT(why, Contains("'mode' is the same for all instances"));
  CHECK_FALSE(set_policy(policy, "loop1.overrun", "wait", why));
  CHECK(policy == before);
}

TEST_CASE("every value of a policy comes back as the text that sets it") {
  for (const Key& key : kKeys) {
    if (key.scope != Scope::kInstance) continue;
    const std::string name(key.name);
    INFO(name);
    const std::string text = another_value(key);
    InstancePolicy policy;
    std::string why;
    REQUIRE(set_policy(policy, name, text, why));
    CHECK(format_policy_value(policy, name) == text);
  }
  InstancePolicy policy;
  std::string why;
  for (const char* clock : {"realtime", "free", "0.001", "0.25", "1.5", "2", "1000"}) {
    REQUIRE(set_policy(policy, "clock", clock, why));
    CHECK(format_policy_value(policy, "clock") == clock);
  }
  CHECK(format_policy_value(policy, "nothing").empty());
  CHECK(format_policy_value(policy, "mode").empty());
}

TEST_CASE("a policy with impossible values can still be shown") {
  InstancePolicy policy;
  set<"eof">(policy, static_cast<Eof>(0xffffffff));
  set<"quality">(policy, 77);
  set<"clock">(policy, 0xffffffffU);
  for (const Key& key : kKeys) format_policy_value(policy, key.name);
  CHECK(format_policy_value(policy, "eof").empty());
  CHECK(format_policy_value(policy, "quality").empty());
}

TEST_CASE("each key of the table has a help line, a range in words and a default that parses") {
  std::set<std::string_view> names;
  for (const Key& key : kKeys) {
    INFO(key.name);
    CHECK(names.insert(key.name).second);
    CHECK(key.help.size() > 10);
    CHECK(key.help.size() < 100);
    CHECK(key.help.find('\n') == std::string_view::npos);
    CHECK_FALSE(accepted_values(key.name).empty());
    const std::string value = format_value(Config{}, key.name);
    CHECK(good(std::string(key.name) + "=" + value) == Config{});
  }
  CHECK(accepted_values("nothing").empty());
}

TEST_CASE("format_value shows what was read, per instance where there is a difference") {
  const Config config = good("dsp=off\nmode=0660\nruntime_dir=/r\nloop1.eof=wait");
  CHECK(format_value(config, "dsp") == "off");
  CHECK(format_value(config, "mode") == "0660");
  CHECK(format_value(config, "runtime_dir") == "/r");
  CHECK(format_value(config, "audioloop_instances") == "1");
  CHECK(format_value(config, "eof") == "reset");
  CHECK(format_value(config, "eof", 1) == "wait");
  CHECK(format_value(config, "eof", 16).empty());
}
