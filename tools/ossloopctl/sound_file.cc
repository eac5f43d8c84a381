#include "ossloopctl/sound_file.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <iomanip>
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

struct FileKind {
  const char* ending;
  int container;         // SF_FORMAT_*
  const char* encoding;  // unless another is asked for
};

constexpr FileKind kKinds[] = {
    {"wav", SF_FORMAT_WAV, "s16"},    {"w64", SF_FORMAT_W64, "s16"},
    {"rf64", SF_FORMAT_RF64, "s16"},  {"aiff", SF_FORMAT_AIFF, "s16"},
    {"aif", SF_FORMAT_AIFF, "s16"},   {"au", SF_FORMAT_AU, "s16"},
    {"caf", SF_FORMAT_CAF, "s16"},    {"flac", SF_FORMAT_FLAC, "s16"},
    {"ogg", SF_FORMAT_OGG, "vorbis"}, {"opus", SF_FORMAT_OGG, "opus"},
    {"raw", SF_FORMAT_RAW, "s16"},
};

const FileKind* find_kind(const std::string& path) {
  if (path == "-") return find_kind("-.au");
  const std::size_t dot = path.find_last_of("./");
  if (dot == std::string::npos || path[dot] != '.') return nullptr;
  std::string ending = path.substr(dot + 1);
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto* kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                                  [&](const FileKind& row) { return ending == row.ending; });
  return kind != std::end(kKinds) ? kind : nullptr;
}

// What carries a file's samples without loss.
int carrier(int subtype) {
  const auto* row = std::find_if(std::begin(kEncodings), std::end(kEncodings),
                                 [&](const SampleEncoding& e) { return e.subtype == subtype; });
  return row != std::end(kEncodings) ? row->afmt : oss::AFMT_FLOAT;
}

}  // namespace

const SampleEncoding* find_encoding(std::string_view name) {
  const auto* row = std::find_if(std::begin(kEncodings), std::end(kEncodings),
                                 [&](const SampleEncoding& e) { return name == e.name; });
  return row != std::end(kEncodings) ? row : nullptr;
}

std::string encoding_names() {
  std::string names;
  for (const SampleEncoding& row : kEncodings) {
    names += (names.empty() ? "" : ", ") + std::string(row.name);
  }
  return names;
}

std::string file_endings() {
  std::string names;
  for (const FileKind& kind : kKinds) {
    names += (names.empty() ? "." : ", .") + std::string(kind.ending);
  }
  return names;
}

std::string describe_sound(std::size_t frames, const audio::PcmFormat& format) {
  std::ostringstream text;
  text << frames << " frames (" << std::setprecision(6)
       << static_cast<double>(frames) / format.rate_hz << " s, " << format.rate_hz << " Hz, "
       << format.channels << (format.channels == 1 ? " channel)" : " channels)");
  return text.str();
}

bool SoundFile::fails(std::string& why) const {
  std::string_view text = ::sf_strerror(file_.get());
  constexpr std::string_view kSystem = "System error : ";
  if (text.starts_with(kSystem)) text.remove_prefix(kSystem.size());
  if (text.ends_with('.')) text.remove_suffix(1);
  why = path_ + ": " + std::string(text);
  return false;
}

bool SoundFile::open(const std::string& path, std::string& why) {
  path_ = path;
  SF_INFO info{};
  file_.reset(path == "-" ? ::sf_open_fd(STDIN_FILENO, SFM_READ, &info, SF_FALSE)
                          : ::sf_open(path.c_str(), SFM_READ, &info));
  if (file_ == nullptr) return fails(why);
  format_ = {carrier(info.format & SF_FORMAT_SUBMASK), info.channels, info.samplerate};
  if (audio::valid(format_)) return true;
  why = path_ + ": " + std::to_string(info.channels) + " channels at " +
        std::to_string(info.samplerate) + " Hz; accepted are 1 to " +
        std::to_string(audio::kMaxChannels) + " at " + std::to_string(audio::kMinRateHz) + " to " +
        std::to_string(audio::kMaxRateHz);
  return false;
}

bool SoundFile::create(const std::string& path, const SampleEncoding* encoding, int channels,
                       int rate_hz, std::string& why) {
  path_ = path;
  const FileKind* kind = find_kind(path);
  if (kind == nullptr) {
    why = path + ": no known kind of sound file; accepted are " + file_endings();
    return false;
  }
  if (encoding == nullptr) encoding = find_encoding(kind->encoding);
  SF_INFO info{};
  info.channels = channels;
  info.samplerate = rate_hz;
  info.format = kind->container | encoding->subtype;
  if (::sf_format_check(&info) == 0) {
    why = path + ": a ." + kind->ending + " file cannot hold " + encoding->name + " with " +
          std::to_string(channels) + " channels at " + std::to_string(rate_hz) + " Hz";
    return false;
  }
  file_.reset(path == "-" ? ::sf_open_fd(STDOUT_FILENO, SFM_WRITE, &info, SF_FALSE)
                          : ::sf_open(path.c_str(), SFM_WRITE, &info));
  if (file_ == nullptr) return fails(why);
  format_ = {encoding->afmt, channels, rate_hz};
  return true;
}

bool SoundFile::close(std::string& why) {
  const int error = ::sf_close(file_.release());
  if (error != 0) why = path_ + ": " + ::sf_error_number(error);
  return error == 0;
}

bool SoundFile::read(void* data, std::size_t frames, std::size_t& got, std::string& why) {
  const auto count = static_cast<sf_count_t>(frames);
  sf_count_t result = 0;
  switch (format_.afmt) {
    case oss::AFMT_S16_NE:
      result = ::sf_readf_short(file_.get(), static_cast<short*>(data), count);
      break;
    case oss::AFMT_S32_NE:
      result = ::sf_readf_int(file_.get(), static_cast<int*>(data), count);
      break;
    default:
      result = ::sf_readf_float(file_.get(), static_cast<float*>(data), count);
  }
  got = static_cast<std::size_t>(std::max<sf_count_t>(result, 0));
  return ::sf_error(file_.get()) == SF_ERR_NO_ERROR || fails(why);
}

bool SoundFile::write(const void* data, std::size_t frames, std::string& why) {
  const auto count = static_cast<sf_count_t>(frames);
  sf_count_t result = 0;
  switch (format_.afmt) {
    case oss::AFMT_S16_NE:
      result = ::sf_writef_short(file_.get(), static_cast<const short*>(data), count);
      break;
    case oss::AFMT_S32_NE:
      result = ::sf_writef_int(file_.get(), static_cast<const int*>(data), count);
      break;
    default:
      result = ::sf_writef_float(file_.get(), static_cast<const float*>(data), count);
  }
  return result == count || fails(why);
}

}  // namespace ossloop::ctl
