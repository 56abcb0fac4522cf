// Which parts does a page have?
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "io/report/page/content.hpp"
#include "io/report/page/markup.hpp"

namespace stemma {

/// Families: models that lie on one branch of the dendrogram below the limit. The largest family is 0; a
/// model alone has none.
struct Families {
  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  std::vector<std::size_t> of;                      ///< by model
  std::vector<std::vector<std::uint32_t>> members;  ///< by family, in the order of the dendrogram
};
Families families_of(const PageContent& content);
/// Class of the style sheet for lines of a family: "k0" to "k6" for the largest, "kx" for others and for
/// none.
std::string family_style(const Families& families, std::size_t model);

/// How many models a page shows one by one.
inline constexpr std::size_t most_cells = 60;       ///< heatmap cells as shapes
inline constexpr std::size_t most_compared = 1000;  ///< all pairs of more are left to tables
inline constexpr std::size_t most_lines = 250;      ///< curves drawn at once, and leaves of the tree

/// The sentences and the table that answer the question of the page.
void write_first_screen(Markup& page, const PageContent& content);
void write_how_to_read(Markup& page, const PageContent& content);
void write_heatmap(Markup& page, const PageContent& content, const Families& families);
void write_pairs(Markup& page, const PageContent& content);
void write_tree(Markup& page, const PageContent& content);
void write_curves(Markup& page, const PageContent& content, const Families& families);
void write_nulls(Markup& page, const PageContent& content);
void write_methods(Markup& page, const PageContent& content);
void write_findings(Markup& page, const PageContent& content);
void write_failures(Markup& page, const PageContent& content);
void write_provenance(Markup& page, const PageContent& content);

/// The three sentences: models and pairs, what became of declarations, what failed or abstained.
std::vector<std::string> three_sentences(const PageContent& content);

/// "aspen and cedar-code": a heading of a pair.
std::string pair_words(const PageContent& content, const PagePair& pair);

/// What scripts of the page know: names, orders and numbers of pairs.
std::string page_data(const PageContent& content);

/// The whole page, HTML 5 in UTF-8. Equal contents give equal bytes.
std::string page_of(const PageContent& content);

/// "so that the page takes no more than 10 MB (report.max_size)"
std::string size_words(const PageContent& content);

/// "499,500"
std::string grouped(std::size_t n);

/// Opens a section with its heading and one sentence that says what to see.
void open_section(Markup& page, std::string_view id, std::string_view heading, std::string_view caption);
/// Name of the table with the numbers of a figure.
void write_table_name(Markup& page, std::string_view file);

}  // namespace stemma
