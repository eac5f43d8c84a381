#include "oss/dsp.h"

#include <errno.h>

#include <algorithm>
#include <cstring>

#include "audio/pcm_format.h"
#include "device/sync_group.h"
#include "oss/system.h"
#include "oss/text.h"

namespace ossloop::oss {
namespace {

using device::Access;
using device::kWrite;

// Counters of 32 bits wrap, as the driver's did.
std::int32_t low32(std::uint64_t value) { return static_cast<std::int32_t>(value & 0x7fffffff); }

}  // namespace

int Dsp::set_format(std::int32_t& afmt) {
  audio::PcmFormat wanted = endpoint_.format();
  int result = 0;
  // A format that we do not have leaves the present one, and no error: that is
  // how programs probe.
  if (afmt != AFMT_QUERY && audio::find_format(afmt) != nullptr) {
    wanted.afmt = afmt;
    result = endpoint_.set_format(fd_, wanted);
  }
  afmt = endpoint_.format().afmt;
  return result;
}

std::int32_t Dsp::formats() const { return audio::supported_formats_mask(); }

int Dsp::speed(std::int32_t& rate_hz) {
  audio::PcmFormat wanted = endpoint_.format();
  int result = 0;
  if (rate_hz < 0) return -EINVAL;
  if (rate_hz != 0) {
    wanted.rate_hz = std::clamp<int>(rate_hz, audio::kMinRateHz, audio::kMaxRateHz);
    result = endpoint_.set_format(fd_, wanted);
  }
  rate_hz = endpoint_.format().rate_hz;
  return result;
}

int Dsp::channels(std::int32_t& count) {
  audio::PcmFormat wanted = endpoint_.format();
  int result = 0;
  if (count < 0) return -EINVAL;
  if (count != 0) {
    wanted.channels = std::clamp<int>(count, 1, audio::kMaxChannels);
    result = endpoint_.set_format(fd_, wanted);
  }
  count = endpoint_.format().channels;
  return result;
}

int Dsp::stereo(std::int32_t& on) {
  if (on < 0 || on > 1) return -EINVAL;
  std::int32_t count = on + 1;
  const int result = channels(count);
  on = count == 1 ? 0 : 1;
  return result;
}

std::int32_t Dsp::present_speed() const { return endpoint_.format().rate_hz; }
std::int32_t Dsp::present_format() const { return endpoint_.format().afmt; }
std::int32_t Dsp::present_channels() const { return endpoint_.format().channels; }

int Dsp::cooked_mode(std::int32_t& on) {
  endpoint_.told().cooked.store(on != 0 ? 1 : 0, std::memory_order_relaxed);
  return 0;
}

std::uint64_t Dsp::channel_order() const { return CHNORDER_NORMAL; }

// Programs that cannot use the one order there is find out, instead of having
// their channels mixed up.
int Dsp::set_channel_order(std::uint64_t& order) { return order == CHNORDER_NORMAL ? 0 : -EINVAL; }

std::int32_t Dsp::block_size() const {
  return static_cast<std::int32_t>(endpoint_.buffering().fragment_bytes);
}

int Dsp::set_fragment(std::int32_t& request) {
  // Once sound has moved the buffer stays as it is.
  if (!endpoint_.transferring())
    endpoint_.choose_fragment(fd_, static_cast<std::uint32_t>(request));
  return 0;
}

int Dsp::subdivide(std::int32_t& divisor) {
  if (divisor == 0) {
    divisor = 1;
    return 0;
  }
  if (divisor != 1 && divisor != 2 && divisor != 4) return -EINVAL;
  if (!endpoint_.transferring()) endpoint_.subdivide(fd_, static_cast<std::uint32_t>(divisor));
  return 0;
}

int Dsp::policy(std::int32_t& number) {
  if (number < 0 || number > 10) return -EINVAL;
  if (!endpoint_.transferring()) endpoint_.choose_policy(fd_, number);
  return 0;
}

int Dsp::low_water(std::int32_t& bytes) {
  const auto total = static_cast<std::int32_t>(endpoint_.buffer_frames()) * frame_bytes();
  bytes = std::clamp(bytes, frame_bytes(), std::max(total / 2, frame_bytes()));
  endpoint_.set_low_water(static_cast<std::uint32_t>(bytes));
  return 0;
}

int Dsp::space(audio_buf_info& info, Access direction) {
  if (!open_for(direction)) return -ENOTSUP;
  device::Space space{};
  if (const int error = endpoint_.space(fd_, direction, space); error != 0) return error;
  info = {static_cast<std::int32_t>(space.fragments),
          static_cast<std::int32_t>(space.fragments_total),
          static_cast<std::int32_t>(space.fragment_bytes), static_cast<std::int32_t>(space.bytes)};
  return 0;
}

int Dsp::output_delay(std::int32_t& bytes) {
  if (!open_for(kWrite)) return -ENOTSUP;
  bytes = low32(endpoint_.delay_frames(fd_) * static_cast<std::uint64_t>(frame_bytes()));
  return 0;
}

int Dsp::pointer(count_info& info, Access direction) {
  if (!open_for(direction)) return -ENOTSUP;
  if (const int end = endpoint_.mapped_end(fd_, direction); end != 0) return end;
  const device::Pointer pointer = endpoint_.pointer(fd_, direction);
  info.bytes =
      static_cast<std::uint32_t>(pointer.frames * static_cast<std::uint64_t>(frame_bytes()));
  info.blocks = low32(pointer.fragments);
  info.ptr = static_cast<std::int32_t>(pointer.ptr_bytes);
  return 0;
}

int Dsp::current(oss_count_t& count, Access direction) {
  if (!open_for(direction)) return -ENOTSUP;
  if (const int end = endpoint_.mapped_end(fd_, direction); end != 0) return end;
  const device::Pointer pointer = endpoint_.pointer(fd_, direction);
  count = {};
  count.samples = static_cast<std::int64_t>(pointer.frames);
  count.fifo_samples = low32(pointer.queued_frames);
  return 0;
}

int Dsp::errors(audio_errinfo& info) {
  const device::Errors errors = endpoint_.errors(fd_);
  info = {};
  info.play_underruns = low32(errors.play_underruns);
  info.rec_overruns = low32(errors.record_overruns);
  return 0;
}

int Dsp::peaks(oss_peaks_t& peaks, Access direction) {
  if (!open_for(direction)) return -ENOTSUP;
  endpoint_.peaks(fd_, direction, peaks);
  return 0;
}

int Dsp::look(ossloop_look& look) {
  const Access direction = look.direction == PCM_ENABLE_OUTPUT ? kWrite : device::kRead;
  if (!open_for(direction)) return -ENOTSUP;
  const device::Look now = endpoint_.look(
      fd_, direction, static_cast<std::uint64_t>(std::max<std::int64_t>(look.wanted, 0)));
  look.queued = static_cast<std::int64_t>(now.queued_frames);
  look.delay = static_cast<std::int64_t>(now.delay_frames);
  look.at_ns = now.at_ns;
  look.lost = static_cast<std::int64_t>(now.lost);
  look.tells = now.tells ? 1 : 0;
  return 0;
}

int Dsp::choose_buffer(ossloop_buffer& buffer) {
  if (buffer.fragment_frames <= 0 || buffer.buffer_frames <= 0) return -EINVAL;
  endpoint_.choose_buffer(fd_, static_cast<std::uint32_t>(buffer.fragment_frames),
                          static_cast<std::uint32_t>(buffer.buffer_frames));
  buffer = {static_cast<std::int32_t>(endpoint_.buffering().fragment_bytes) / frame_bytes(),
            static_cast<std::int32_t>(endpoint_.buffer_frames())};
  return 0;
}

int Dsp::halt(Access directions) {
  endpoint_.halt(fd_, directions);
  return 0;
}
int Dsp::sync() { return endpoint_.sync(fd_); }
int Dsp::post() { return 0; }
int Dsp::silence() {
  if (!open_for(kWrite)) return -ENOTSUP;
  endpoint_.silence(fd_);
  return 0;
}
int Dsp::pause(std::int32_t& on) {
  if (!open_for(kWrite)) return -ENOTSUP;
  endpoint_.pause(fd_, on != 0);
  return 0;
}
int Dsp::skip() { return open_for(kWrite) ? halt(kWrite) : -ENOTSUP; }
int Dsp::nonblock() {
  endpoint_.set_nonblock(true);
  return 0;
}

std::int32_t Dsp::trigger() const { return static_cast<std::int32_t>(endpoint_.trigger()); }

int Dsp::set_trigger(std::int32_t& bits) {
  return endpoint_.set_trigger(fd_, static_cast<std::uint32_t>(bits));
}

int Dsp::join_group(oss_syncgroup& group) {
  const int id = device::SyncGroups::instance().join(group.id, endpoint_, fd_,
                                                     static_cast<std::uint32_t>(group.mode));
  if (id < 0) return id;
  group.id = id;
  return 0;
}

int Dsp::start_group(std::int32_t& id) { return device::SyncGroups::instance().start(id); }

int Dsp::set_duplex() { return endpoint_.both_ways() ? 0 : -ENOTSUP; }
int Dsp::profile(std::int32_t&) { return 0; }

std::int32_t Dsp::volume(Access direction) const {
  return static_cast<std::int32_t>(endpoint_.volume(direction));
}

int Dsp::set_volume(std::int32_t& level, Access direction) {
  endpoint_.set_volume(direction, static_cast<std::uint32_t>(level));
  level = volume(direction);
  return 0;
}

// There is one target, and one source.
int Dsp::target(std::int32_t& number, Access direction) {
  number = 0;
  return open_for(direction) ? 0 : -ENOTSUP;
}

int Dsp::target_names(oss_mixer_enuminfo& names, Access direction) {
  if (!open_for(direction)) return -ENOTSUP;
  names = {};
  names.nvalues = 1;
  put_text(names.strings, "loop");
  return 0;
}

std::int32_t Dsp::capabilities() const {
  return side_caps(&endpoint_.segment()->contract(), endpoint_.side());
}

int Dsp::set_song(oss_longname_t& name) {
  put_text(endpoint_.told().song, text_of(name));
  return 0;
}
int Dsp::song(oss_longname_t& name) {
  put_text(name, text_of(endpoint_.told().song));
  return 0;
}
int Dsp::set_label(oss_label_t& label) {
  put_text(endpoint_.told().label, text_of(label));
  return 0;
}
int Dsp::label(oss_label_t& label) {
  put_text(label, text_of(endpoint_.told().label));
  return 0;
}
int Dsp::set_name(oss_longname_t& name) {
  put_text(endpoint_.told().command, text_of(name));
  return 0;
}

}  // namespace ossloop::oss
