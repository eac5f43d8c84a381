#include "ossloopctl/program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/error_text.h"
#include "base/fd.h"

namespace ossloop::ctl {
namespace {

// What the kernel reads of a file to see how to run it.
constexpr std::size_t kHeadBytes = 256;
// A script's interpreter may be a script; the kernel goes this deep.
constexpr int kMostInterpreters = 5;

std::string search_path(const std::string& name, std::string& why) {
  if (name.find('/') != std::string::npos) {
    if (::access(name.c_str(), F_OK) == 0) return name;
    why = name + ": " + (errno == ENOENT ? "not found" : base::error_text(errno));
    return {};
  }
  const char* variable = std::getenv("PATH");
  std::string rest = std::string(variable != nullptr ? variable : "/bin:/usr/bin") + ":";
  std::string locked;
  while (!name.empty() && !rest.empty()) {
    const std::size_t end = rest.find(':');
    std::string path = (end > 0 ? rest.substr(0, end) + "/" : "./") + name;
    rest.erase(0, end + 1);
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    if (::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0) return path;
    if (locked.empty()) locked = path;
  }
  if (locked.empty()) why = "'" + name + "': not found in PATH";
  return locked;
}

// What can be said without looking inside.
std::string refuse_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return errno == ENOENT ? "not found" : base::error_text(errno);
  }
  if (S_ISDIR(status.st_mode)) return "is a folder, not a program";
  if (!S_ISREG(status.st_mode) || ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) != 0) {
    return "not executable";
  }
  return {};
}

// The loader drops LD_PRELOAD where a program gains rights by its start.
std::string refuse_rights(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return base::error_text(errno);
  if ((status.st_mode & S_ISUID) != 0) return "cannot be preloaded: it is set-user-ID";
  if ((status.st_mode & S_ISGID) != 0 && (status.st_mode & S_IXGRP) != 0) {
    return "cannot be preloaded: it is set-group-ID";
  }
  if (::getxattr(path.c_str(), "security.capability", nullptr, 0) > 0) {
    return "cannot be preloaded: it has file capabilities";
  }
  return {};
}

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// The loader that this tool itself was started by.
std::string own_loader() {
  std::string loader;
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* result) {
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& header = info->dlpi_phdr[i];
          if (header.p_type != PT_INTERP) continue;
          *static_cast<std::string*>(result) =
              reinterpret_cast<const char*>(info->dlpi_addr + header.p_vaddr);
        }
        return 1;  // the program comes first, and it alone is asked
      },
      &loader);
  return loader;
}

bool read_at(int fd, off_t offset, void* data, std::size_t bytes) {
  return ::pread(fd, data, bytes, offset) == static_cast<ssize_t>(bytes);
}

// The loader that an ELF file of our class names; empty: it is static.
bool read_loader(int fd, const ElfW(Ehdr) & header, std::string& loader) {
  if (header.e_phentsize != sizeof(ElfW(Phdr))) return false;
  for (int i = 0; i < header.e_phnum; ++i) {
    ElfW(Phdr) part{};
    const auto offset = static_cast<off_t>(header.e_phoff + sizeof part * static_cast<unsigned>(i));
    if (!read_at(fd, offset, &part, sizeof part)) return false;
    if (part.p_type != PT_INTERP) continue;
    char path[4096] = {};
    const std::size_t bytes = std::min<std::size_t>(part.p_filesz, sizeof path - 1);
    if (!read_at(fd, static_cast<off_t>(part.p_offset), path, bytes)) return false;
    loader = path;
  }
  return true;
}

std::string refuse_elf(int fd, const std::string& library) {
  constexpr const char* kBroken = "is a damaged program";
  ElfW(Ehdr) program{};
  ElfW(Ehdr) ours{};
  const base::Fd library_fd(::open(library.c_str(), O_RDONLY | O_CLOEXEC));
  if (!library_fd || !read_at(library_fd.get(), 0, &ours, sizeof ours)) {
    return "cannot be preloaded: " + library + " cannot be read";
  }
  // Class and byte order lie in the first bytes, whatever the class.
  if (!read_at(fd, 0, &program, EI_NIDENT)) return kBroken;
  if (program.e_ident[EI_CLASS] != ours.e_ident[EI_CLASS]) {
    return std::string("cannot be preloaded: it is a ") +
           (program.e_ident[EI_CLASS] == ELFCLASS32 ? "32" : "64") +
           "-bit program and the library is not";
  }
  if (!read_at(fd, 0, &program, sizeof program)) return kBroken;
  if (program.e_ident[EI_DATA] != ours.e_ident[EI_DATA] || program.e_machine != ours.e_machine) {
    return "cannot be preloaded: it is made for another machine";
  }
  if (program.e_type != ET_EXEC && program.e_type != ET_DYN) return "is not a program";
  std::string loader;
  if (!read_loader(fd, program, loader)) return kBroken;
  if (loader.empty()) return "cannot be preloaded: it is statically linked";
  if (::access(loader.c_str(), F_OK) != 0)
    return "cannot start: its loader " + loader + " is missing";
  const std::string own = own_loader();
  if (!own.empty() && base_name(own) != base_name(loader)) {
    return "cannot be preloaded: it uses another C library (" + loader + ")";
  }
  return {};
}

// The interpreter that the first line of a script names.
std::string interpreter_of(const std::string& head) {
  const std::string line = head.substr(2, head.find('\n') - 2);
  const std::size_t first = line.find_first_not_of(" \t");
  if (first == std::string::npos) return {};
  return line.substr(first, line.find_first_of(std::string(" \t\0", 3), first) - first);
}

}  // namespace

bool can_preload(const std::string& name, const std::string& library, std::string& why) {
  std::string path = search_path(name, why);
  if (path.empty()) return false;
  std::string chain;  // of scripts, for the message
  for (int depth = 0; depth <= kMostInterpreters; ++depth) {
    auto refuse = [&](const std::string& reason) {
      why = chain;
      why.append(path).append(": ").append(reason);
      return false;
    };
    if (const auto reason = refuse_file(path); !reason.empty()) return refuse(reason);
    const base::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) {
      // It may be run and not read: nothing more to find out.
      const auto reason = refuse_rights(path);
      return reason.empty() || refuse(reason);
    }
    std::string head(kHeadBytes, '\0');
    const ssize_t bytes = ::pread(fd.get(), head.data(), head.size(), 0);
    head.resize(bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
    if (head.starts_with(ELFMAG)) {
      std::string reason = refuse_rights(path);
      if (reason.empty()) reason = refuse_elf(fd.get(), library);
      return reason.empty() || refuse(reason);
    }
    std::string interpreter = "/bin/sh";  // what execvp does with any other text
    if (head.starts_with("#!")) {
      interpreter = interpreter_of(head);
      if (interpreter.empty()) return refuse("its #! line names no interpreter");
    } else if (head.substr(0, head.find('\n')).find('\0') != std::string::npos) {
      return refuse("is not a program of this system");
    }
    chain += path + ": its interpreter ";
    path = interpreter;
  }
  why = name + ": too many interpreters";
  return false;
}

}  // namespace ossloop::ctl
