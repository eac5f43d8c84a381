#include "ossloopctl/sound_format.h"

#include <algorithm>
#include <cctype>
#include <iomanip>
#include <span>
#include <sstream>

#include "oss/soundcard.h"

namespace ossloop::ctl {
namespace {

// libsndfile moves samples as short, int or float: one device format each.
constexpr SampleEncoding kEncodings[] = {
    {"u8", SF_FORMAT_PCM_U8, oss::AFMT_S16_NE},    {"s8", SF_FORMAT_PCM_S8, oss::AFMT_S16_NE},
    {"s16", SF_FORMAT_PCM_16, oss::AFMT_S16_NE},   {"s24", SF_FORMAT_PCM_24, oss::AFMT_S32_NE},
    {"s32", SF_FORMAT_PCM_32, oss::AFMT_S32_NE},   {"float", SF_FORMAT_FLOAT, oss::AFMT_FLOAT},
    {"mu-law", SF_FORMAT_ULAW, oss::AFMT_S16_NE},  {"a-law", SF_FORMAT_ALAW, oss::AFMT_S16_NE},
    {"vorbis", SF_FORMAT_VORBIS, oss::AFMT_FLOAT}, {"opus", SF_FORMAT_OPUS, oss::AFMT_FLOAT},
};

constexpr FileKind kKinds[] = {
    {"wav", SF_FORMAT_WAV, "s16", true},    {"w64", SF_FORMAT_W64, "s16", true},
    {"rf64", SF_FORMAT_RF64, "s16", false}, {"aiff", SF_FORMAT_AIFF, "s16", false},
    {"aif", SF_FORMAT_AIFF, "s16", false},  {"au", SF_FORMAT_AU, "s16", true},
    {"caf", SF_FORMAT_CAF, "s16", false},   {"flac", SF_FORMAT_FLAC, "s16", true},
    {"ogg", SF_FORMAT_OGG, "vorbis", true}, {"opus", SF_FORMAT_OGG, "opus", true},
    {"raw", SF_FORMAT_RAW, "s16", true},
};

template <typename Row>
const Row* find(std::span<const Row> table, std::string_view name) {
  const auto row =
      std::find_if(table.begin(), table.end(), [&](const Row& r) { return name == r.name; });
  return row != table.end() ? &*row : nullptr;
}

// Those for which `wanted`, each after `before`.
template <typename Row, typename Wanted>
std::string names(std::span<const Row> table, const char* before, Wanted wanted) {
  std::string text;
  for (const Row& row : table) {
    if (wanted(row)) text += (text.empty() ? "" : ", ") + std::string(before) + row.name;
  }
  return text;
}

constexpr auto kEvery = [](const auto&) { return true; };

}  // namespace

const SampleEncoding* find_encoding(std::string_view name) {
  return find<SampleEncoding>(kEncodings, name);
}

const FileKind* find_kind(std::string_view name) { return find<FileKind>(kKinds, name); }

const FileKind* kind_of(const std::string& path) {
  const std::size_t dot = path.find_last_of("./");
  if (dot == std::string::npos || path[dot] != '.') return nullptr;
  std::string ending = path.substr(dot + 1);
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return find_kind(ending);
}

std::string encoding_names() { return names<SampleEncoding>(kEncodings, "", kEvery); }
std::string kind_names() { return names<FileKind>(kKinds, "", kEvery); }
std::string file_endings() { return names<FileKind>(kKinds, ".", kEvery); }
std::string streaming_kind_names() {
  return names<FileKind>(kKinds, "", [](const FileKind& kind) { return kind.streams; });
}

int carrier(int subtype) {
  const auto* row = std::find_if(std::begin(kEncodings), std::end(kEncodings),
                                 [&](const SampleEncoding& e) { return e.subtype == subtype; });
  return row != std::end(kEncodings) ? row->afmt : oss::AFMT_FLOAT;
}

SF_INFO SoundSpec::info() const {
  SF_INFO info{};
  info.channels = channels;
  info.samplerate = rate_hz;
  info.format = kind->container | encoding->subtype;
  return info;
}

bool SoundSpec::possible(std::string& why) const {
  if (kind == nullptr) {
    why = "no known kind of sound file; accepted are " + file_endings() +
          ", and any name with --type";
    return false;
  }
  const SF_INFO asked = info();
  if (::sf_format_check(&asked) != 0) return true;
  const std::string name = kind->name;
  why = (name == "raw" ? "raw sound" : "a ." + name + " file") + " cannot hold " + encoding->name +
        " with " + std::to_string(channels) + (channels == 1 ? " channel" : " channels") + " at " +
        std::to_string(rate_hz) + " Hz";
  return false;
}

std::string describe_sound(std::size_t frames, const audio::PcmFormat& format) {
  std::ostringstream text;
  text << frames << " frames (" << std::setprecision(6)
       << static_cast<double>(frames) / format.rate_hz << " s, " << format.rate_hz << " Hz, "
       << format.channels << (format.channels == 1 ? " channel)" : " channels)");
  return text.str();
}

}  // namespace ossloop::ctl
