// SPDX-License-Identifier: BSD-2-Clause
#include "config/files.h"

#include <fnmatch.h>
#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "config/source.h"

namespace lbdp::config {
namespace {

constexpr std::string_view kWildcards = "*?[";
constexpr size_t kLongestPattern = 4096;  // PATH_MAX

class FileSystem : public Files {
 public:
  [[nodiscard]] Kind kind(const std::string& path) const override {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0) return Kind::kMissing;
    return S_ISDIR(status.st_mode) ? Kind::kDirectory : Kind::kFile;
  }

  [[nodiscard]] std::vector<std::string> match(const std::string& pattern) const override {
    std::vector<std::string> paths;
    glob_t found{};
    if (glob(pattern.c_str(), 0, nullptr, &found) == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    globfree(&found);
    return paths;
  }

  [[nodiscard]] Result<std::string> read(const std::string& path) const override {
    return read_file(path, Executable::kRefuse);
  }

  [[nodiscard]] std::string absolute(const std::string& directory) const override {
    std::error_code error;
    const auto path = std::filesystem::canonical(directory.empty() ? "." : directory, error);
    return error ? directory : path.string();
  }
};

/// `text` as a pattern that matches just itself.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\' || kWildcards.find(c) != std::string_view::npos) result += '\\';
    result += c;
  }
  return result;
}

std::string unescaped(std::string_view pattern) {
  std::string result;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    result += pattern[i];
  }
  return result;
}

/// The first of `characters` at or after `from` that has no backslash before it.
size_t find_unescaped(std::string_view text, std::string_view characters, size_t from) {
  for (size_t i = from; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (characters.find(text[i]) != std::string_view::npos) {
      return i;
    }
  }
  return std::string_view::npos;
}

/// The alternatives of the brace group that opens at `open`, and its end behind the '}'; npos if it does not close.
size_t split_group(std::string_view text, size_t open, std::vector<std::string_view>& alternatives) {
  size_t depth = 1;
  size_t start = open + 1;
  for (size_t i = start; (i = find_unescaped(text, "{},", i)) != std::string_view::npos; ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}') --depth;
    if (depth == 0 || (depth == 1 && text[i] == ',')) {
      alternatives.push_back(text.substr(start, i - start));
      start = i + 1;
    }
    if (depth == 0) return i + 1;
  }
  return std::string_view::npos;
}

/// All that a pattern with braces means, in csh's order.
Result<std::vector<std::string>> expand_braces(std::string_view pattern, size_t most) {
  std::vector<std::string> done;
  std::vector<std::string> open{std::string(pattern)};
  while (!open.empty()) {
    const std::string text = std::move(open.back());
    open.pop_back();
    const size_t brace = find_unescaped(text, "{}", 0);
    if (brace == std::string::npos) {
      done.push_back(text);
    } else {
      std::vector<std::string_view> alternatives;
      const size_t end = text[brace] == '{' ? split_group(text, brace, alternatives) : std::string::npos;
      if (end == std::string::npos) return fail("the braces do not match; an include takes the whole rest of its line");
      for (auto it = alternatives.rbegin(); it != alternatives.rend(); ++it) {
        open.push_back(text.substr(0, brace) + std::string(*it) + text.substr(end));
      }
    }
    if (done.size() + open.size() > most) return fail("more than " + std::to_string(most) + " alternatives in braces");
  }
  return done;
}

/// Whether the directory above a pattern's first wildcard is there.
bool has_directory(std::string_view pattern, const Files& files) {
  const size_t slash = pattern.substr(0, find_unescaped(pattern, kWildcards, 0)).rfind('/');
  if (slash == std::string_view::npos || slash == 0) return true;
  return files.kind(unescaped(pattern.substr(0, slash))) == Files::Kind::kDirectory;
}

void resolve_alternative(const std::string& alternative, const std::string& directory, const Files& files,
                         IncludeMatches& result) {
  const bool relative = !alternative.starts_with('/') && !directory.empty();
  if (find_unescaped(alternative, kWildcards, 0) == std::string::npos) {
    const std::string path = (relative ? directory + "/" : "") + unescaped(alternative);
    (files.kind(path) == Files::Kind::kMissing ? result.missing : result.paths).push_back(path);
    return;
  }
  result.wildcards = true;
  const std::string pattern = (relative ? escaped(directory) + "/" : "") + alternative;
  if (!has_directory(pattern, files)) {
    result.missing.push_back(pattern);
    return;
  }
  std::ranges::copy(files.match(pattern), std::back_inserter(result.paths));
}

}  // namespace

const Files& file_system() {
  static const FileSystem kFileSystem;
  return kFileSystem;
}

Files::Kind MemoryFiles::kind(const std::string& path) const {
  if (files_.contains(path)) return Kind::kFile;
  const auto below = files_.lower_bound(path + "/");
  return below != files_.end() && below->first.starts_with(path + "/") ? Kind::kDirectory : Kind::kMissing;
}

std::vector<std::string> MemoryFiles::match(const std::string& pattern) const {
  std::vector<std::string> paths;
  for (const auto& [path, text] : files_) {
    if (fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0) paths.push_back(path);
  }
  return paths;
}

Result<std::string> MemoryFiles::read(const std::string& path) const {
  const auto found = files_.find(path);
  if (found == files_.end()) return fail("cannot be read: not a regular file");
  return found->second;
}

std::string MemoryFiles::absolute(const std::string& directory) const {
  return directory.starts_with('/') ? directory : "/" + directory;
}

std::string directory_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {};
  return std::string(path.substr(0, std::max<size_t>(slash, 1)));
}

Result<IncludeMatches> resolve_include(std::string_view pattern, const std::string& directory, const Files& files,
                                       size_t most) {
  if (pattern.size() > kLongestPattern) {
    return fail("the pattern is longer than " + std::to_string(kLongestPattern) + " characters");
  }
  const auto alternatives = expand_braces(pattern, most);
  if (!alternatives) return tl::unexpected(alternatives.error());
  IncludeMatches result;
  result.braces = pattern.find('{') != std::string_view::npos;
  for (const std::string& alternative : *alternatives) {
    resolve_alternative(alternative, directory, files, result);
    if (result.paths.size() > most) return fail("it matches more than " + std::to_string(most) + " files");
  }
  return result;
}

}  // namespace lbdp::config
