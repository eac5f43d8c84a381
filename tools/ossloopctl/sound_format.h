// Which kinds of sound file there are, and how they store samples.
#pragma once

#include <sndfile.h>

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

struct FileKind {
  const char* name;      // as --type takes it, and the ending of a file's name
  int container;         // SF_FORMAT_*
  const char* encoding;  // unless another is asked for
  bool streams;          // can be written without looking back
};

// nullptr if there is none of that name.
const SampleEncoding* find_encoding(std::string_view name);
const FileKind* find_kind(std::string_view name);
// By the ending of a file's name.
const FileKind* kind_of(const std::string& path);

// For help texts: every name; of the kinds of file "wav, flac ..." and ".wav, .flac ...".
std::string encoding_names();
std::string kind_names();
std::string streaming_kind_names();
std::string file_endings();

// What carries a file's samples without loss: AFMT_*.
int carrier(int subtype);

// What a sound file is to be, or raw samples are.
struct SoundSpec {
  const FileKind* kind = nullptr;
  const SampleEncoding* encoding = nullptr;
  int channels = 2;
  int rate_hz = 48000;

  audio::PcmFormat format() const { return {encoding->afmt, channels, rate_hz}; }
  SF_INFO info() const;
  // False with one line in `why`: no file is like that.
  bool possible(std::string& why) const;
};

// "168480 frames (3.51 s, 48000 Hz, 2 channels)".
std::string describe_sound(std::size_t frames, const audio::PcmFormat& format);

}  // namespace ossloop::ctl
