-- What Quarto can't know of this report: which of its files to render, and how it looks where there is no HTML.

local function stop(message)
  io.stderr:write("✗ report: " .. message .. "\n")
  os.exit(1)
end

local input = quarto and quarto.doc and quarto.doc.input_file or ""
if input:match("index%.qmd$") then
  stop("index.qmd has no results in it. Call `quarto render report/`, which renders the finished run.")
end
if FORMAT:match("latex") or FORMAT:match("beamer") or FORMAT:match("context") then
  stop("there is no LaTeX form of this report. `make report` writes report.pdf without LaTeX; "
    .. "Quarto does with `quarto render report/ --to typst`.")
end
if FORMAT:match("html") then
  return { {} }
end

local LINE = 100 -- letters that a line of a table has room for
local LONGEST_WORD = 24

-- The lengths of the longest word and of the longest line of some blocks.
local function lengths(blocks)
  local word, line, current = 0, 0, 0
  local function count(text)
    local length = pandoc.text.len(text)
    word, current = math.max(word, math.min(length, LONGEST_WORD)), current + length
    line = math.max(line, current)
  end
  pandoc.walk_block(pandoc.Div(blocks), {
    traverse = "topdown",
    Str = function(element) count(element.text) end,
    Code = function(element) count(element.text) end,
    Space = function() current = current + 1 end,
    LineBreak = function() current = 0 end,
    Block = function() current = 0 end,
  })
  return word, line
end

-- Columns get the width of their longest word, and share the rest by how much text they have.
local function fit(table)
  local words, lines = {}, {}
  local function see(rows)
    for _, row in ipairs(rows) do
      for column, cell in ipairs(row.cells) do
        local word, line = lengths(cell.contents)
        words[column] = math.max(words[column] or 1, word)
        lines[column] = math.max(lines[column] or 1, line)
      end
    end
  end
  see(table.head.rows)
  for _, body in ipairs(table.bodies) do see(body.body) end
  local needed, wanted = 0, 0
  for column = 1, #table.colspecs do
    words[column], lines[column] = (words[column] or 1) + 2, (lines[column] or 1) + 2
    needed, wanted = needed + words[column], wanted + lines[column]
  end
  if wanted <= LINE then return table end
  local spare, text = math.max(LINE - needed, 0), wanted - needed
  for column, spec in ipairs(table.colspecs) do
    local width = words[column] + (text > 0 and spare * (lines[column] - words[column]) / text or 0)
    spec[2] = width / math.max(LINE, needed)
  end
  return table
end

-- Word breaks a long word at the end of its cell; Typst needs to be told where it may.
local function broken(element)
  if FORMAT == "typst" and #element.text > LONGEST_WORD and not element.text:match("[^%w%p]") then
    element.text = element.text:gsub(".", "%0\u{200b}")
    return element
  end
end

return {
  { RawInline = function(element)
      if element.format == "html" and element.text:match("^<br") then return pandoc.LineBreak() end
    end,
    RawBlock = function(element)
      if element.format == "html" then return pandoc.read(element.text, "html").blocks end
    end },
  { Table = fit },
  { Str = broken, Code = broken },
}
