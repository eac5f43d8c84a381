// libsoxr, loaded when a rate is first converted.
//
// It brings OpenMP's runtime along, which takes longer to load than all the rest
// of the engine (measured: 5 of 9 ms), and most loops never convert a rate.
#pragma once

#include <soxr.h>

namespace ossloop::audio {

struct SoxrLibrary {
  decltype(&::soxr_create) create;
  decltype(&::soxr_process) process;
  decltype(&::soxr_clear) clear;
  decltype(&::soxr_delete) destroy;
  decltype(&::soxr_io_spec) io_spec;
  decltype(&::soxr_quality_spec) quality_spec;
  decltype(&::soxr_num_clips) num_clips;
  decltype(&::soxr_runtime_spec) runtime_spec;
};

// nullptr and an `error`: -ENOSYS, with one line in the log, if the library is not
// installed; -ENOMEM if there is no memory for it just now.
const SoxrLibrary* soxr_library(int& error) noexcept;

// For who has a resampler of it.
const SoxrLibrary& loaded_soxr_library() noexcept;

}  // namespace ossloop::audio
