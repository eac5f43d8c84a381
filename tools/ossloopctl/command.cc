#include "ossloopctl/command.h"

#include <algorithm>
#include <iostream>

#include "abi/segment.h"

namespace ossloop::ctl {
namespace {

// One line, whatever a file or a word holds.
void say(std::string why) {
  std::replace_if(
      why.begin(), why.end(), [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }, '?');
  std::cerr << "ossloopctl: " + why + "\n";
}

}  // namespace

int failed(const std::string& why) {
  say(why);
  return kFailed;
}

int wrong_usage(const std::string& why) {
  say(why);
  return kUsage;
}

bool parse_instance(const std::string& word, int& number, std::string& why) {
  const bool digits = word.size() <= 2 && word.find_first_not_of("0123456789") == std::string::npos;
  const bool canonical = !word.empty() && (word.size() == 1 || word[0] != '0');
  if (digits && canonical && std::stoi(word) < abi::kMaxInstances) {
    number = std::stoi(word);
    return true;
  }
  why = "no instance '" + word + "'; expected a number from 0 to " +
        std::to_string(abi::kMaxInstances - 1);
  return false;
}

bool parse_changes(const std::vector<std::string>& words, control::Changes& changes,
                   std::string& why) {
  for (const std::string& word : words) {
    if (!changes.add(word, why)) return false;
  }
  return true;
}

std::string policy_help() {
  std::string text = "Policies:\n";
  for (const config::KeyInfo& key : config::keys()) {
    if (key.scope != config::Scope::kInstance) continue;
    text += "  " + std::string(key.name) + "\n      " + std::string(key.help) + ":\n      " +
            config::accepted_values(key.name) + "\n";
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
