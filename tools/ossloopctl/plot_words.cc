#include "ossloopctl/plot_words.h"

#include <memory>

#include "config/config.h"
#include "ossloopctl/command.h"
#include "ossloopctl/offers.h"

namespace ossloop::ctl {
namespace {

constexpr const char* kWindows[] = {"blackman", "hann"};

Offers offer_windows(const std::string&, std::size_t) {
  Offers offers;
  for (const char* const name : kWindows) offers.words.push_back({name, ""});
  return offers;
}

}  // namespace

void add_plot_words(CLI::App& app, const std::function<void(const PlotWords&)>& run) {
  CLI::App* command =
      app.add_subcommand("plot", "Draws a sound: its waveform and spectrogram, as PNG");
  command->footer("Neither --waveform nor --spectrogram draws both.");
  const auto words = std::make_shared<PlotWords>();
  offer(command->add_option("--tap", words->tap,
                            "What is heard of instance N (default 0), as of record --tap"),
        offer_instances)
      ->expected(0, 1)
      ->option_text("[N]");
  offer(command->add_option("-o,--output", words->output,
                            "The picture; default: FILE, ending in .png. - is standard output"),
        offer_files)
      ->option_text("FILE");
  command
      ->add_option("-s,--seconds", words->seconds, "Draw so much of it; default all, of a tap 10")
      ->check(number_in(0.001, 1e9))
      ->option_text("SECONDS");
  command->add_option("-w,--wait", words->wait_seconds, "Wait so long for a program to tap")
      ->check(number_in(0, 86400))
      ->option_text("SECONDS");
  command->add_flag("--waveform", words->waveform, "Only the waveform")->option_text(" ");
  command->add_flag("--spectrogram", words->spectrogram, "Only the spectrogram")->option_text(" ");
  offer(command->add_option("--window", words->window,
                            "Of the spectrogram: blackman (the default), hann"),
        offer_windows)
      ->option_text("NAME");
  command->add_option("--width", words->width_pixels, "Of the picture, 320 to 16384; default 1200")
      ->check(whole_number_in(320, 16384))
      ->option_text("PIXELS");
  add_sound_options(*command, words->sound, "Kind of file; raw samples need all four");
  offer(command->add_option("FILE", words->input, "A sound file; - is standard input"), offer_files)
      ->option_text(" ");
  command->callback([words, run] { run(*words); });
}

std::string picture_beside(const std::string& path) {
  const std::size_t dot = path.find_last_of("./");
  const bool ending =
      dot != std::string::npos && dot > 0 && path[dot] == '.' && path[dot - 1] != '/';
  return (ending ? path.substr(0, dot) : path) + ".png";
}

bool check(const PlotWords& words, std::string& why) {
  const bool known =
      std::find(std::begin(kWindows), std::end(kWindows), words.window) != std::end(kWindows);
  if (words.input.empty() && !words.tap) {
    why = "plot: nothing to draw; expected a sound file, or --tap";
  } else if (!words.input.empty() && words.tap) {
    why = "plot: " + config::quote(words.input) + " and --tap; expected one of them";
  } else if (words.output.empty() && (words.tap || words.input == "-")) {
    why = "plot: no name for the picture; expected --output FILE";
  } else if (!known) {
    why = "plot: no window " + config::quote(words.window) + "; expected blackman or hann";
  } else {
    return true;
  }
  return false;
}

}  // namespace ossloop::ctl
