// What is said in words and tables around the figures?
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <span>

#include "io/report/page/relation_mark.hpp"
#include "io/report/page/sections.hpp"

namespace stemma {
namespace {

void open_table(Markup& page, std::string_view style, std::string_view caption,
                std::initializer_list<const char*> columns) {
  page.open("div", {{"class", "scroll"}, {"tabindex", 0}, {"role", "region"}, {"aria-label", caption}});
  page.open("table", {{"class", style}}).element("caption", caption).open("thead").open("tr");
  for (const char* column : columns) page.element("th", {{"scope", "col"}}, column);
  page.close("tr").close("thead").open("tbody");
}

void close_table(Markup& page) { page.close("tbody").close("table").close("div"); }

/// Rows of a table that a page shows; the files hold all.
constexpr std::size_t most_rows = 1000;
/// Rows that stand open where few will read them.
constexpr std::size_t most_unfolded = 100;

template <class Row>
std::span<const Row> shown_rows(const std::vector<Row>& rows) {
  return std::span(rows).first(std::min(rows.size(), most_rows));
}

/// Closes a table of shown_rows, and says what it leaves out.
void close_cut_table(Markup& page, std::size_t all) {
  close_table(page);
  if (all > most_rows)
    page.element("p", {{"class", "note"}}, fmt::format("The first {} of {} are shown.", most_rows, all));
}

std::string short_number(double value) { return std::isfinite(value) ? fmt::format("{:.4g}", value) : ""; }

/// Text of many lines, each as a reader may see it.
void write_lines(Markup& page, std::string_view heading, std::string_view text) {
  if (text.empty()) return;
  page.element("h3", heading).open("pre", {{"tabindex", 0}});
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    page.text(printable(text.substr(at, end - at), 400)).text("\n");
    at = end + 1;
  }
  page.close("pre");
}

/// The scores of methods that rank, of pairs that are told or stand highest.
std::vector<std::size_t> telling_pairs(const PageContent& content, std::size_t most) {
  std::vector<std::size_t> order(content.pairs.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto rank = [&](std::size_t i) {
    const PagePair& p = content.pairs[i];
    return std::tuple(!joins(p.relation), !p.declared, std::isfinite(p.curve_score) ? -p.curve_score : 2.0F,
                      i);
  };
  const std::size_t shown = std::min(most, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(),
                    [&](std::size_t a, std::size_t b) { return rank(a) < rank(b); });
  order.resize(shown);
  return order;
}

/// Of many models the table is folded away: a browser lays out what it shows, and these rows are looked up.
void write_models_as_read(Markup& page, const std::vector<PageModel>& models) {
  constexpr std::string_view caption = "Models as they were read";
  const bool folded = models.size() > most_unfolded;
  if (folded)
    page.open("details").element("summary", fmt::format("{} ({})", caption, grouped(models.size())));
  open_table(page, "sortable", caption,
             {"Model", "Path", "Revision", "Format", "Family", "Layers", "Parameters", "Bytes"});
  for (const PageModel& model : models) {
    page.open("tr")
        .named("th", {{"scope", "row"}}, model.id, 48)
        .named("td", model.path, 80)
        .named("td", model.revision, 24)
        .element("td", shortened(model.format, 20))
        .named("td", model.family, 24);
    for (const std::uint64_t number :
         {static_cast<std::uint64_t>(model.layers), model.parameters, model.bytes})
      page.element("td", {{"class", "number"}}, fmt::format("{}", number));
    page.close("tr");
  }
  close_table(page);
  if (folded) page.close("details");
}

}  // namespace

std::string grouped(std::size_t n) {
  std::string digits = std::to_string(n);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string size_words(const PageContent& content) {
  return fmt::format("so that the page takes no more than {:g} MB (report.max_size)",
                     static_cast<double>(content.most_bytes) / 1e6);
}

void open_section(Markup& page, std::string_view id, std::string_view heading, std::string_view caption) {
  const std::string name = fmt::format("h-{}", id);
  page.open("section", {{"id", id}, {"aria-labelledby", name}});
  page.element("h2", {{"id", name}}, heading);
  if (!caption.empty()) page.element("p", {{"class", "caption"}}, caption);
}

void write_table_name(Markup& page, std::string_view file) {
  page.open("p", {{"class", "numbers"}}).text("Numbers: ").element("code", file).close("p");
}

void write_how_to_read(Markup& page, const PageContent& content) {
  open_section(page, "reading", "How to read this", "");
  page.element("p",
               "The null hypothesis is that two models were initialised independently. A small p-value "
               "contradicts it; it is no "
               "probability of descent, and nothing here says who took what from whom. Grade G: the level is "
               "guaranteed by "
               "construction. C: counted among models that are known to be independent. M: it rests on a "
               "stated model of what "
               "independent models share. N: no null is valid, the score only ranks. X: extrapolated. "
               "ABSTAIN means that nothing "
               "was found that decides, with the reason; NO EVIDENCE means that tests which would have seen "
               "something saw "
               "nothing. p-values are corrected over all pairs of the archive.");
  std::array<bool, 9> seen{};
  for (const PageModel& model : content.models) seen.at(static_cast<std::size_t>(model.relation)) = true;
  for (const PagePair& pair : content.pairs) seen.at(static_cast<std::size_t>(pair.relation)) = true;
  page.open("ul", {{"class", "legend classes"}});
  for (std::size_t r = 0; r < seen.size(); ++r) {
    if (!seen[r]) continue;
    page.open("li");
    write_relation(page, static_cast<Relation>(r), "");
    page.text(fmt::format(": {}", meaning_of(static_cast<Relation>(r)))).close("li");
  }
  page.close("ul").close("section");
}

void write_methods(Markup& page, const PageContent& content) {
  constexpr std::size_t most = 200;
  open_section(page, "methods", "Methods beside each other",
               "Published scores stand beside the test that no exact re-parameterisation moves. The twin of "
               "the curve score and "
               "the random weights of tensorguard are their controls: where they say the same, the score saw "
               "shapes, not weights.");
  const std::vector<std::size_t> chosen = telling_pairs(content, most);
  open_table(page, "sortable methods", "Scores of all methods",
             {"Pair", "Class", "Neurons agreeing", "Curve score", "Its twin", "Percentile", "tensorguard",
              "Random weights"});
  for (const std::size_t i : chosen) {
    const PagePair& p = content.pairs[i];
    page.open("tr").open("th", {{"scope", "row"}});
    page.open("a", {{"href", fmt::format("#a={}&b={}", p.a, p.b)}, {"class", "pair-link"}})
        .text(pair_words(content, p))
        .close("a");
    page.close("th").open("td", {{"data-sort", static_cast<int>(p.relation)}});
    write_relation(page, p.relation, "");
    if (p.borderline) page.text(" (borderline)");
    page.close("td");
    for (const double value : {double(p.share), double(p.curve_score), double(p.curve_twin),
                               double(p.percentile), double(p.guard), double(p.guard_control)})
      page.element("td", {{"class", "number"}}, short_number(value));
    page.close("tr");
  }
  close_table(page);
  if (chosen.size() < content.pairs.size())
    page.element("p", {{"class", "note"}},
                 fmt::format("{} of {} pairs: those that are related, declared, or highest by curve score.",
                             grouped(chosen.size()), grouped(content.pairs.size())));
  write_table_name(page, "pairs.tsv, evidence.tsv");
  page.close("section");
}

void write_findings(Markup& page, const PageContent& content) {
  open_section(page, "findings", "Findings",
               "What was odd about the inputs, by rule. A finding is no evidence of descent.");
  if (content.findings.empty()) {
    page.element("p", "Nothing was odd about the inputs.");
  } else {
    open_table(page, "sortable", "Findings", {"Severity", "Rule", "Model", "Place", "What was found"});
    for (const auto& [model, f] : shown_rows(content.findings)) {
      page.open("tr")
          .element("td", name_of(f.severity))
          .open("td")
          .element("code", shortened(f.rule, 60))
          .close("td");
      page.named("td", model, 48)
          .named("td", f.tensor.empty() ? f.file : f.tensor, 60)
          .named("td", f.hint.empty() ? f.found : f.hint, 300)
          .close("tr");
    }
    close_cut_table(page, content.findings.size());
  }
  write_table_name(page, "findings.tsv");
  page.close("section");
}

void write_failures(Markup& page, const PageContent& content) {
  open_section(page, "failures", "What could not be done",
               "One row for each item; everything else on this page was computed without it.");
  if (content.failures.empty()) {
    page.element("p", "Nothing failed.");
  } else {
    open_table(page, "sortable", "Failures", {"Model", "Item", "Stage", "Rule", "Why", "What to do"});
    for (const Failure& f : shown_rows(content.failures)) {
      page.open("tr").named("td", f.model, 48).named("td", f.item, 60);
      page.element("td", name_of(f.stage)).open("td").element("code", shortened(f.rule, 60)).close("td");
      page.named("td", f.sentence, 300).named("td", f.suggestion, 300).close("tr");
    }
    close_cut_table(page, content.failures.size());
  }
  write_table_name(page, "failures.tsv");
  page.close("section");
}

void write_provenance(Markup& page, const PageContent& content) {
  open_section(page, "provenance", "How this came about",
               "Whoever has the archive can check this page: the same archive, program and options give the "
               "same bytes.");
  open_table(page, "plain", "Provenance", {"What", "Value"});
  for (const auto& [name, value] : content.provenance)
    page.open("tr").element("th", {{"scope", "row"}}, name).named("td", value, 400).close("tr");
  close_table(page);
  write_models_as_read(page, content.models);
  write_lines(page, "Configuration", content.configuration);
  write_lines(page, "How to cite", content.bibtex);
  page.element("p",
               "To check: stemma verify on the archive says whether every byte is sound; stemma run "
               "--reproduce makes it again "
               "and compares.");
  page.close("section");
}

}  // namespace stemma
