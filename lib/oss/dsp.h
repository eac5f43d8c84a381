// An audio descriptor as the OSS API sees it. One member per request; each
// returns 0 or -errno and works on a copy of the caller's argument.
#pragma once

#include <cstdint>

#include "device/endpoint.h"
#include "oss/soundcard.h"

namespace ossloop::oss {

class Dsp {
 public:
  Dsp(device::Endpoint& endpoint, int fd) : endpoint_(endpoint), fd_(fd) {}

  // Formats: 0 asks, anything else sets the nearest possible; the value in force
  // comes back.
  int set_format(std::int32_t& afmt);
  int formats(std::int32_t& mask);
  int speed(std::int32_t& rate_hz);
  int channels(std::int32_t& count);
  int stereo(std::int32_t& on);
  int present_speed(std::int32_t& rate_hz);
  int present_format(std::int32_t& afmt);
  int present_channels(std::int32_t& count);
  int cooked_mode(std::int32_t& on);
  int channel_order(std::uint64_t& order);
  int set_channel_order(std::uint64_t& order);

  // Buffers and positions.
  int block_size(std::int32_t& bytes);
  int set_fragment(std::int32_t& request);
  int subdivide(std::int32_t& divisor);
  int policy(std::int32_t& number);
  int low_water(std::int32_t& bytes);
  int output_space(audio_buf_info& info);
  int input_space(audio_buf_info& info);
  int output_delay(std::int32_t& bytes);
  int output_pointer(count_info& info);
  int input_pointer(count_info& info);
  int current_output(oss_count_t& count);
  int current_input(oss_count_t& count);
  int errors(audio_errinfo& info);
  int input_peaks(oss_peaks_t& peaks);
  int output_peaks(oss_peaks_t& peaks);

  // Flow.
  int halt();
  int halt_input();
  int halt_output();
  int sync();
  int post();
  int silence();
  int skip();
  int nonblock();
  int trigger(std::int32_t& bits);
  int set_trigger(std::int32_t& bits);
  int join_group(oss_syncgroup& group);
  int start_group(std::int32_t& id);
  int set_duplex();
  int profile(std::int32_t& number);

  // Levels: left | right << 8, 0 to 100.
  int play_volume(std::int32_t& level);
  int set_play_volume(std::int32_t& level);
  int record_volume(std::int32_t& level);
  int set_record_volume(std::int32_t& level);
  int play_target(std::int32_t& target);
  int record_source(std::int32_t& source);
  int play_target_names(oss_mixer_enuminfo& names);
  int record_source_names(oss_mixer_enuminfo& names);

  // Names.
  int capabilities(std::int32_t& bits);
  int set_song(oss_longname_t& name);
  int song(oss_longname_t& name);
  int set_label(oss_label_t& label);
  int label(oss_label_t& label);
  int set_name(oss_longname_t& name);

 private:
  bool readable() const { return (endpoint_.access() & device::kRead) != 0; }
  bool writable() const { return (endpoint_.access() & device::kWrite) != 0; }
  int frame_bytes() const { return endpoint_.format().frame_bytes(); }
  int space(audio_buf_info& info, device::Access direction);
  int pointer(count_info& info, device::Access direction);
  int current(oss_count_t& count, device::Access direction);
  int peaks(oss_peaks_t& peaks, device::Access direction);
  int set_volume(std::int32_t& level, device::Access direction);

  device::Endpoint& endpoint_;
  const int fd_;
};

}  // namespace ossloop::oss
