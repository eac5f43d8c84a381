// A recording: streams of a source, one after another, into a sound file or a file for each.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "ossloopctl/progress.h"
#include "ossloopctl/sound_file.h"
#include "ossloopctl/source.h"

namespace ossloop::ctl {

struct RecordingPlan {
  std::string path;
  SoundSpec spec;
  double seconds = std::numeric_limits<double>::infinity();
  bool follows = false;  // over the end of a stream
  bool splits = false;   // each stream into a file of its own
  bool quiet = false;
  // The name of a picture of what is recorded; with `splits` numbered as the file is. It is
  // drawn from the file when that is whole, by another process: meanwhile the next is recorded.
  std::string spectrogram;
};

class Recording {
 public:
  Recording(const RecordingPlan& plan, Source& source);

  // Opens what is to be written and tells the source its format. This and all below: false with
  // one line in `why`.
  bool begin(std::string& why);
  // Until the stream, the duration or the user's patience ends. What was written is whole in
  // each case, and told. `why` stays empty if a picture failed, which has told that itself.
  bool run(std::string& why);

 private:
  bool copy(std::string& why);
  bool take_rest(std::string& why);
  bool take(bool& ended, std::string& why);
  bool open_next(std::string& why);
  bool close_file(std::string& why);
  bool check_picture(std::string& why) const;
  bool start_picture(std::string& why);
  bool finish_pictures();
  void tell(const std::string& text);
  Progress::State state();

  const RecordingPlan& plan_;
  Source& source_;
  const audio::PcmFormat format_;
  const std::size_t frame_bytes_;
  const double limit_frames_;
  Progress progress_;
  SoundFile file_;
  std::vector<std::byte> block_;
  std::size_t frames_ = 0;  // in all
  std::size_t block_frames_ = 1;
  int number_ = 0;  // of the last file
  struct Drawing {
    pid_t process;
    std::string name;
  };
  std::vector<Drawing> pictures_;
};

}  // namespace ossloop::ctl
