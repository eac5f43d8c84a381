#include "ossloopctl/offers.h"

#include <algorithm>
#include <map>

#include "control/view.h"
#include "ossloopctl/sound_format.h"

namespace ossloop::ctl {
namespace {

// Ranges up to here are told number by number.
constexpr std::int64_t kFewNumbers = 16;

std::map<const CLI::Option*, OfferSource>& sources() {
  static std::map<const CLI::Option*, OfferSource> all;
  return all;
}

// Those of "wav, flac, au".
Offers offer_list(const std::string& list) {
  Offers offers;
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = std::min(list.find(", ", begin), list.size());
    offers.words.push_back({list.substr(begin, end - begin), ""});
    begin = end + 2;
  }
  return offers;
}

// A bad line of the configuration is for the commands to tell.
std::vector<control::InstanceView> instances() {
  std::vector<config::Diagnostic> diagnostics;
  return control::look_at_all(config::load_runtime(diagnostics));
}

void add_numbers(const config::Key& key, std::vector<Candidate>& values) {
  if (key.maximum - key.minimum < kFewNumbers) {
    for (std::int64_t number = key.minimum; number <= key.maximum; ++number) {
      values.push_back({std::to_string(number), ""});
    }
    return;
  }
  values.push_back({std::to_string(key.minimum), "the least"});
  if (key.initial != key.minimum) values.push_back({std::to_string(key.initial), "the default"});
  values.push_back({std::to_string(key.maximum), "the most"});
}

std::vector<Candidate> values_of(const config::Key& key) {
  std::vector<Candidate> values;
  if (key.kind == config::ValueKind::kClock) {
    return {{"realtime", "the default"}, {"free", "as fast as both programs go"}};
  }
  if (key.kind == config::ValueKind::kInteger) add_numbers(key, values);
  for (const std::string_view choice : key.choices) {
    if (!choice.empty()) values.push_back({std::string(choice), ""});
  }
  const std::string initial = config::format_policy_value({}, key.name);
  for (Candidate& value : values) {
    if (value.word == initial) value.help = "the default";
  }
  return values;
}

}  // namespace

Offers offer_instances(const std::string&, std::size_t) {
  Offers offers;
  for (const control::InstanceView& view : instances()) {
    offers.words.push_back({std::to_string(view.number), view.in_use() ? "in use" : "not in use"});
  }
  return offers;
}

Offers offer_policies(const std::string& word, std::size_t) {
  Offers offers;
  const std::size_t equals = word.find('=');
  for (const config::Key& key : config::kKeys) {
    if (key.scope != config::Scope::kInstance) continue;
    const std::string name = std::string(key.name) + "=";
    if (equals == std::string::npos) {
      offers.words.push_back({name, std::string(key.help)});
    } else if (word.substr(0, equals + 1) == name) {
      for (const Candidate& value : values_of(key)) {
        offers.words.push_back({name + value.word, value.help});
      }
    }
  }
  return offers;
}

Offers offer_new_instance(const std::string& word, std::size_t place) {
  Offers offers = offer_policies(word, place);
  if (place > 0 || word.find('=') != std::string::npos) return offers;
  const auto present = instances();
  for (int number = 0; number < config::kMaxInstances; ++number) {
    // A configured one may be made until it is used.
    const bool taken = std::any_of(present.begin(), present.end(), [&](const auto& view) {
      return view.number == number && view.segment != control::SegmentState::kNone;
    });
    if (!taken) offers.words.push_back({std::to_string(number), "a new instance"});
  }
  return offers;
}

Offers offer_file_kinds(const std::string&, std::size_t) { return offer_list(kind_names()); }

Offers offer_encodings(const std::string&, std::size_t) { return offer_list(encoding_names()); }

Offers offer_files(const std::string&, std::size_t) { return {{}, true}; }

CLI::Option* offer(CLI::Option* option, OfferSource source) {
  sources()[option] = source;
  return option;
}

OfferSource offers_of(const CLI::Option* option) {
  const auto found = sources().find(option);
  return found == sources().end() ? nullptr : found->second;
}

}  // namespace ossloop::ctl
