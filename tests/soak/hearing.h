// What one recorder of a crowd hears of one lane, and whether that can be.
#pragma once

#include <utility>

#include "crowd.h"
#include "heard.h"

namespace soak {

class Hearing {
 public:
  Hearing(const Setting& setting, Crowd& crowd, const Member& self, Lane& lane, Progress& heard,
          bool tells_ends)
      : setting_(setting),
        crowd_(crowd),
        self_(self),
        lane_(lane),
        heard_(heard),
        tells_ends_(tells_ends) {}

  void frame(Frames::Place place) {
    if (place.id == 0 && place.number == 0) {
      silent_ = true;
      return;
    }
    if (place.id < 1 || place.id > kStreams) fault("stream", place.id, number_, place.number);
    if (place.id != stream_ || ended_) return begin(place);
    if (std::exchange(silent_, false) && setting_.stalls)
      fault("stall", stream_, number_, place.number);
    const std::int64_t steps = (place.number - number_) & kNumbers;
    if (steps != 1) return miss(place);
    ++number_;
  }

  // After each read.
  void publish() {
    if (number_ == told_ && heard_.stream == stream_) return;
    const std::int64_t most = lane_.stream[stream_].accepted + kMostBlock;
    if (number_ > most) fault("count", stream_, most, number_);
    if (heard_.stream != stream_) {
      heard_.number = 0;
      heard_.stream = stream_;
      told_ = first_ - 1;
    }
    heard_.frames += number_ - told_;
    heard_.number = told_ = number_;
  }

  // The end was told.
  void end() {
    if (stream_ == 0 || ended_) return;
    ended_ = true;
    heard_.ended = stream_;
  }

 private:
  [[noreturn]] void fault(const char* what, int id, std::int64_t heard, std::int64_t got) const {
    std::fprintf(stderr, "life %d, in stream %d at frame %lld%s:\n", self_.number, stream_,
                 static_cast<long long>(number_), ended_ ? ", which has ended" : "");
    broken(what, id, heard, got);
  }

  // A frame tells so much of its number.
  static constexpr std::int64_t kNumbers = 0xffffff;

  std::int64_t whole(Frames::Place place) const {
    const std::int64_t near = lane_.stream[place.id].accepted;
    std::int64_t steps = (place.number - near) & kNumbers;
    if (steps > kNumbers / 2) steps -= kNumbers + 1;
    return near + steps;
  }

  void begin(Frames::Place place) {
    const std::int64_t number = whole(place);
    if (stream_ != 0 && !is_later(place.id, stream_)) fault("stream", place.id, stream_, number);
    if (tells_ends_ && stream_ != 0 && !ended_) fault("end", stream_, number_, number);
    const bool joined = lane_.stream[place.id].begun_with == self_.number;
    if (number != 1 && !setting_.may_miss && (setting_.from_first || joined))
      fault("begin", place.id, 0, number);
    if (number != 1) must_be_allowed(place.id, 0, number);
    publish_rest();
    stream_ = place.id;
    number_ = first_ = number;
    ended_ = silent_ = false;
  }

  // Of the stream before, in the same read.
  void publish_rest() {
    if (stream_ != 0) publish();
  }

  void miss(Frames::Place place) {
    const std::int64_t number = whole(place);
    if (!setting_.may_miss || number <= number_) fault("order", place.id, number_, number);
    must_be_allowed(place.id, number_, number);
    number_ = number;
  }

  void must_be_allowed(int id, std::int64_t last, std::int64_t number) const {
    if (!setting_.may_miss || crowd_.waited_for != self_.number) return;
    const int after = crowd_.after_stream;
    if (is_later(id, after) || (id == after && last >= crowd_.after_number))
      fault("loss of who is waited for", id, last, number);
  }

  const Setting& setting_;
  Crowd& crowd_;
  const Member& self_;
  Lane& lane_;
  Progress& heard_;
  const bool tells_ends_;
  int stream_ = 0;
  std::int64_t number_ = 0, first_ = 0, told_ = 0;
  bool ended_ = false, silent_ = false;
};

}  // namespace soak
