// The bytes of a sound file, as libsndfile asks for them: written to a file or a pipe, or read
// from a pipe.
//
// libsndfile itself looks back where a pipe cannot. Here the beginning of a pipe that is read is
// kept until the header is understood, and what it would write into the past of one is left
// out: the header has told from the start that the length is unknown.
#pragma once

#include <sndfile.h>

#include <string>
#include <vector>

namespace ossloop::ctl {

class SoundBytes {
 public:
  // Of a descriptor, which is closed in the end if it is `owned`.
  SoundBytes(int fd, bool owned);
  ~SoundBytes();
  SoundBytes(const SoundBytes&) = delete;
  SoundBytes& operator=(const SoundBytes&) = delete;

  // Anything but a file of which we have the beginning, and in which we may look back.
  bool streams() const { return streams_; }
  int fd() const { return fd_; }

  // nullptr: sf_strerror() tells.
  SNDFILE* open_to_read(SF_INFO& info);
  SNDFILE* open_to_write(SF_INFO& info);
  // Of what is read: does its header tell how long it is?
  bool length_known() const { return end_ != kEndless; }
  bool ended() const { return ended_; }

  // From now on a failing write leaves whole pieces of so many bytes in a file; 0: what it was
  // given at once.
  void keep_whole(std::size_t bytes);
  // Where they begin.
  sf_count_t first_byte() const { return first_byte_; }
  sf_count_t size() const { return size_; }
  // Of a FLAC file, whose encoder writes each at once.
  std::size_t flac_blocks() const { return flac_blocks_; }
  // errno of the first read or write that failed; EINTR: asked_to_stop().
  int error() const { return error_; }

 private:
  static constexpr sf_count_t kEndless = sf_count_t{1} << 60;

  static SF_VIRTUAL_IO& calls();
  sf_count_t seek(sf_count_t offset, int whence);
  sf_count_t read(char* data, sf_count_t bytes);
  sf_count_t write(const char* data, sf_count_t bytes);

  std::size_t read_pipe(char* data, std::size_t bytes, bool all);
  bool keep(std::size_t bytes);
  void look_at_header();
  void look_at_chunks();
  SNDFILE* open_what_follows(SF_INFO& info);
  std::size_t write_some(const char* data, std::size_t bytes);
  void cut();

  const int fd_;
  const bool owned_;
  bool streams_ = false;
  bool writes_ = false;
  sf_count_t position_ = 0;
  int error_ = 0;
  // Read.
  std::vector<char> head_;  // kept from the beginning on
  bool keeps_ = true;
  bool takes_little_ = false;  // and need not have all that it asks for
  bool ended_ = false;
  sf_count_t taken_ = 0;  // from the pipe
  sf_count_t end_ = kEndless;
  std::size_t sound_at_ = 0;  // of a WAV file whose length is unknown
  // Written.
  sf_count_t size_ = 0;
  sf_count_t first_byte_ = 0;
  std::size_t whole_bytes_ = 0;
  std::size_t flac_blocks_ = 0;
};

// Tells in the header of a sound file that its length is unknown, in the way of its kind.
void make_endless(std::vector<char>& header);

}  // namespace ossloop::ctl
