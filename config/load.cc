// SPDX-License-Identifier: BSD-2-Clause
#include "config/load.h"

#include <utility>

#include "config/diagnostics.h"
#include "config/lexer.h"
#include "config/preprocessor.h"
#include "config/resolve.h"
#include "config/schema.h"
#include "config/source.h"
#include "config/tree.h"

namespace lbdp::config {

namespace {

/// A finding about the file as a whole.
LoadResult failed(const std::string& name, std::string message) {
  LoadResult result;
  Diagnostic& diagnostic = result.diagnostics.emplace_back();
  diagnostic.where.file = name;
  diagnostic.message = std::move(message);
  return result;
}

}  // namespace

LoadResult load_text(std::string_view text, const std::string& name, const LoadOptions& options) {
  if (text.size() > Source::kMostBytes) {
    return failed(name, "larger than " + std::to_string(Source::kMostBytes >> 20) + " MiB");
  }
  Sources sources;
  sources.add(name, std::string(text));
  Diagnostics diagnostics(sources);
  Preprocessor preprocessor(sources, options, diagnostics);
  Lexer lexer(preprocessor, diagnostics);
  const Tree tree = Tree::parse(lexer, diagnostics);
  FileSpec spec;
  Context context{diagnostics, options.lenient};
  apply(kFileBlock, tree.statements(), &spec, context);
  // Resolved even after errors, so that one run reports all of them.
  Model model = resolve(spec, diagnostics);

  LoadResult result;
  if (!diagnostics.has_errors()) result.model = std::move(model);
  result.diagnostics = diagnostics.take();
  result.remarks = diagnostics.take_remarks();
  for (uint32_t file = 0; file < sources.file_count(); ++file) result.files.push_back(sources.file(file).name());
  return result;
}

LoadResult load_file(const std::string& path, const LoadOptions& options) {
  const auto text = read_file(path);
  if (text) return load_text(*text, path, options);
  return failed(path, text.error().message);
}

}  // namespace lbdp::config
