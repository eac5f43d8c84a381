#include "ossloopctl/sound_words.h"

#include "ossloopctl/command.h"
#include "ossloopctl/offers.h"

namespace ossloop::ctl {

// What stands for itself.
bool SoundWords::named(SoundSpec& spec, std::string& why) const {
  spec.kind = find_kind(type);
  spec.encoding = find_encoding(encoding);
  if (!type.empty() && spec.kind == nullptr) {
    why = "no type " + config::quote(type) + "; expected one of " + kind_names();
  } else if (!encoding.empty() && spec.encoding == nullptr) {
    why = "no encoding " + config::quote(encoding) + "; expected one of " + encoding_names();
  } else {
    if (channels != 0) spec.channels = channels;
    if (rate_hz != 0) spec.rate_hz = rate_hz;
    return true;
  }
  return false;
}

bool SoundWords::spec_to_record(const std::string& path, SoundSpec& spec, std::string& why) const {
  if (!named(spec, why)) return false;
  if (spec.kind == nullptr) spec.kind = path == "-" ? find_kind("au") : kind_of(path);
  if (spec.kind != nullptr && spec.encoding == nullptr) {
    spec.encoding = find_encoding(spec.kind->encoding);
  }
  return true;
}

bool SoundWords::spec_to_play(const std::string& path, SoundSpec& spec, std::string& why) const {
  if (!named(spec, why)) return false;
  const FileKind* const raw = find_kind("raw");
  if (spec.kind == nullptr && kind_of(path) == raw) spec.kind = raw;
  const bool any = spec.encoding != nullptr || channels != 0 || rate_hz != 0;
  const bool all = spec.encoding != nullptr && channels != 0 && rate_hz != 0;
  if (spec.kind != raw && any) {
    why = "--encoding, --channels and --rate tell what raw samples are; expected --type raw";
    return false;
  }
  if (spec.kind == raw && !all) {
    why = "raw samples do not tell what they are; expected --encoding, --channels and --rate";
    return false;
  }
  return spec.kind != raw || spec.possible(why);
}

void add_sound_options(CLI::App& command, SoundWords& words, const std::string& type_help) {
  offer(command.add_option("-t,--type", words.type, type_help + ": " + kind_names()),
        offer_file_kinds)
      ->option_text("NAME");
  offer(command.add_option("-e,--encoding", words.encoding, "Of the samples: " + encoding_names()),
        offer_encodings)
      ->option_text("NAME");
  const bool plays = command.get_name() != "record";
  command
      .add_option("-c,--channels", words.channels,
                  "1 to " + std::to_string(audio::kMaxChannels) + (plays ? "" : "; default 2"))
      ->check(whole_number_in(1, audio::kMaxChannels))
      ->option_text("N");
  command
      .add_option("-r,--rate", words.rate_hz,
                  std::to_string(audio::kMinRateHz) + " to " + std::to_string(audio::kMaxRateHz) +
                      " Hz" + (plays ? "" : "; default 48000"))
      ->check(whole_number_in(audio::kMinRateHz, audio::kMaxRateHz))
      ->option_text("HZ");
}

}  // namespace ossloop::ctl
