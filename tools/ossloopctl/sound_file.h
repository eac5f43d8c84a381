// Sound files, through libsndfile, in the frames that a device carries.
#pragma once

#include <sndfile.h>

#include <cstddef>
#include <memory>
#include <string>

#include "audio/pcm_format.h"
#include "ossloopctl/sound_bytes.h"
#include "ossloopctl/sound_format.h"

namespace ossloop::ctl {

class SoundFile {
 public:
  ~SoundFile();

  // Opens `path` to be read; "-" is standard input. `spec.kind` nullptr: whatever it is; raw: as
  // `spec` says. This and all below: false with one line in `why`.
  bool open(const std::string& path, const SoundSpec& spec, std::string& why);
  // Makes `path`; "-" is standard output. `spec` is possible.
  bool create(const std::string& path, const SoundSpec& spec, std::string& why);
  // The same, but it fails if `path` is there, and `exists` says so.
  bool create_new(const std::string& path, const SoundSpec& spec, bool& exists, std::string& why);
  // What was written before a failure is a whole file, too.
  bool close(std::string& why);
  bool is_open() const { return file_ != nullptr; }

  // Interleaved, as format() says; `got` is 0 at the end.
  bool read(void* data, std::size_t frames, std::size_t& got, std::string& why);
  bool write(const void* data, std::size_t frames, std::string& why);

  const std::string& path() const { return path_; }
  const audio::PcmFormat& format() const { return format_; }
  // Of all that is to be read; 0 if that is unknown.
  std::size_t total_frames() const { return total_frames_; }
  // That are in the file; after close().
  std::size_t frames() const { return frames_; }
  // Of a pipe that is written, else -1.
  int pipe() const { return bytes_ != nullptr && bytes_->streams() ? bytes_->fd() : -1; }
  // Has a write ended because the user wanted no more?
  bool interrupted() const;
  bool failed() const { return bytes_ != nullptr && bytes_->error() != 0; }
  // False, with the line that tells it.
  bool reader_gone(std::string& why) const;

 private:
  bool fails(std::string& why) const;
  bool fails_because(int error, std::string& why) const;
  bool make(const std::string& path, const SoundSpec& spec, int flags, int& error,
            std::string& why);
  bool begin(const SoundSpec& spec, std::string& why);
  void count_what_is_whole();

  std::string path_;
  std::string name_;  // as it is told
  std::unique_ptr<SoundBytes> bytes_;
  SNDFILE* file_ = nullptr;
  const FileKind* kind_ = nullptr;
  audio::PcmFormat format_ = {};
  std::size_t total_frames_ = 0;
  std::size_t frames_ = 0;
  std::size_t frame_bytes_ = 0;  // in the file, if each frame has as many
};

}  // namespace ossloop::ctl
