// Sound files, through libsndfile, in the frames that a device carries.
#pragma once

#include <sndfile.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "audio/pcm_format.h"

namespace ossloop::ctl {

// One way to store samples, and the device format that holds them exactly.
struct SampleEncoding {
  const char* name;  // as --encoding takes it
  int subtype;       // SF_FORMAT_*
  int afmt;          // AFMT_S16_NE, AFMT_S32_NE or AFMT_FLOAT
};

// nullptr if there is none of that name.
const SampleEncoding* find_encoding(std::string_view name);
// Every name, for a help text; of the kinds of file ".wav, .flac ...".
std::string encoding_names();
std::string file_endings();

// "168480 frames (3.51 s, 48000 Hz, 2 channels)".
std::string describe_sound(std::size_t frames, const audio::PcmFormat& format);

class SoundFile {
 public:
  // Opens `path` to be read; "-" is standard input. This and all below: false
  // with one line in `why`.
  bool open(const std::string& path, std::string& why);
  // Makes `path`, of the kind that its ending tells; "-" is standard output, as
  // AU. `encoding` nullptr: what suits the kind. Nothing is made if the kind
  // cannot hold it.
  bool create(const std::string& path, const SampleEncoding* encoding, int channels, int rate_hz,
              std::string& why);
  bool close(std::string& why);

  // Interleaved, as format() says; `got` is 0 at the end.
  bool read(void* data, std::size_t frames, std::size_t& got, std::string& why);
  bool write(const void* data, std::size_t frames, std::string& why);

  const audio::PcmFormat& format() const { return format_; }

 private:
  bool fails(std::string& why) const;

  std::string path_;
  std::unique_ptr<SNDFILE, decltype(&::sf_close)> file_{nullptr, ::sf_close};
  audio::PcmFormat format_ = {};
};

}  // namespace ossloop::ctl
