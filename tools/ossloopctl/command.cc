#include "ossloopctl/command.h"

#include <stdio.h>

#include <charconv>
#include <exception>
#include <iostream>
#include <new>

#include "abi/layout.h"
#include "base/log.h"

namespace ossloop::ctl {
namespace {

// One line, whatever a file or a word holds.
void say(std::string why) {
  base::make_one_line(why.data(), why.size());
  std::cerr << "ossloopctl: " + why + "\n";
}

// "1.5" and "10" as people write them.
template <typename Number>
std::string text_of(Number number) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, number, std::chars_format::fixed).ptr};
}
template <>
std::string text_of(int number) {
  return std::to_string(number);
}

template <typename Number>
CLI::Validator in_range(Number low, Number high, const char* kind) {
  const std::string accepted = std::string(kind) + " from " + text_of(low) + " to " + text_of(high);
  return CLI::Validator(
      [=](const std::string& word) {
        const char* const end = word.data() + word.size();
        Number number{};
        const auto [rest, error] = std::from_chars(word.data(), end, number);
        const bool good = error == std::errc{} && rest == end && number >= low && number <= high;
        return good ? std::string() : "bad value " + config::quote(word) + "; expected " + accepted;
      },
      "");
}

}  // namespace

int run_guarded(int (*run)(int argc, char** argv), int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::bad_alloc&) {
    ::fputs("ossloopctl: out of memory\n", stderr);
  } catch (const std::exception& error) {
    ::fprintf(stderr, "ossloopctl: %s\n", error.what());
  }
  return kFailed;
}

int failed(const std::string& why) {
  say(why);
  return kFailed;
}

int wrong_usage(const std::string& why) {
  say(why);
  return kUsage;
}

std::string instance_range() { return "0 to " + std::to_string(abi::kMaxInstances - 1); }

bool parse_instance(const std::string& word, int& number, std::string& why) {
  const bool digits = word.size() <= 2 && word.find_first_not_of("0123456789") == std::string::npos;
  const bool canonical = !word.empty() && (word.size() == 1 || word[0] != '0');
  if (digits && canonical && std::stoi(word) < abi::kMaxInstances) {
    number = std::stoi(word);
    return true;
  }
  why = "no instance " + config::quote(word) + "; expected a number from " + instance_range();
  return false;
}

bool parse_changes(const std::vector<std::string>& words, control::Changes& changes,
                   std::string& why) {
  for (const std::string& word : words) {
    if (!changes.add(word, why)) return false;
  }
  return true;
}

CLI::Validator number_in(double low, double high) { return in_range(low, high, "a number"); }

CLI::Validator whole_number_in(int low, int high) { return in_range(low, high, "a whole number"); }

std::string policy_help() {
  std::string text = "Policies:\n";
  for (const config::Key& key : config::kKeys) {
    if (key.scope != config::Scope::kInstance) continue;
    text += "  " + std::string(key.name) + "\n      " + std::string(key.help) + ":\n      " +
            config::accepted_values(key.name) + "; default " +
            config::format_policy_value({}, key.name) + "\n";
  }
  return text;
}

int with_configuration(const std::function<int(const config::Runtime&)>& command) {
  std::vector<config::Diagnostic> diagnostics;
  const config::Runtime runtime = config::load_runtime(diagnostics);
  for (const config::Diagnostic& diagnostic : diagnostics) say(diagnostic.text);
  return diagnostics.empty() ? command(runtime) : kFailed;
}

}  // namespace ossloop::ctl
