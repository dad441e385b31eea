// SPDX-License-Identifier: BSD-2-Clause
// config_document MARKDOWN MANUAL-PAGE: writes what the tables of keywords say into docs/configuration.md, between its
// markers, and into docs/lb.conf.5. scripts/documents runs it.
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "config/document.h"

namespace {

bool write(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text << std::flush;
  if (!file) std::cerr << path << ": cannot be written\n";
  return file.good();
}

}  // namespace

int main(int argc, char** argv) {
  using namespace lbdp::config;
  if (argc != 3) {
    std::cerr << "usage: config_document MARKDOWN MANUAL-PAGE\n";
    return 2;
  }
  const std::string markdown = argv[1];
  std::ifstream file(markdown, std::ios::binary);
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  const auto text = with_keywords(page, keywords_markdown(kFileBlock));
  if (!text) {
    std::cerr << markdown << ": " << text.error().message << '\n';
    return 1;
  }
  return write(markdown, *text) && write(argv[2], manual_page(kFileBlock)) ? 0 : 1;
}
