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

local LINE = 110 -- letters that a line of a table has room for
local LONGEST_WORD, LONGEST_OUTSIDE = 24, 40 -- in a table, outside of one
local WIDEST_PICTURE = 640 -- pixels; a wider one gets the width of the text

-- Measure some blocks: the word that each text is a part of, in order, and the longest line.
local function measured(blocks)
  local words, word, line, current = {}, { length = 0 }, 0, 0
  local function add(element)
    local length = pandoc.text.len(element.text)
    word.length, current = word.length + length, current + length
    words[#words + 1], line = word, math.max(line, current)
  end
  local function stop(at) word, current = { length = 0 }, at end
  pandoc.walk_block(pandoc.Div(blocks), {
    traverse = "topdown",
    Str = add,
    Code = add,
    Space = function() stop(current + 1) end,
    SoftBreak = function() stop(current + 1) end,
    LineBreak = function() stop(0) end,
    Block = function() stop(0) end,
  })
  return words, line
end

-- Word breaks a long word at the end of its cell; Typst needs to be told where it may: before a letter of Latin, Greek
-- or Cyrillic, not before a mark.
local function broken(element)
  if FORMAT ~= "typst" or element.text:find("\u{200b}") then return end
  element.text = element.text:gsub(utf8.charpattern, function(letter)
    local point = utf8.codepoint(letter)
    if point < 0x300 or (0x370 <= point and point < 0x530) then return "\u{200b}" .. letter end
  end):gsub("^\u{200b}", "")
  return element
end

-- Break the words of a cell that are longer than `limit`, also where a mark begins or ends in them.
local function break_words(cell, words, limit)
  local place = 0
  local function visit(element)
    place = place + 1
    if words[place].length > limit then return broken(element) end
  end
  local walked = pandoc.walk_block(pandoc.Div(cell.contents), { traverse = "topdown", Str = visit, Code = visit })
  cell.contents = walked.content
end

-- Columns get the width of their longest word, and share the rest by how much text they have.
local function fit(table)
  local cells, lines = {}, {}
  local function see(rows)
    for _, row in ipairs(rows) do
      for column, cell in ipairs(row.cells) do
        local words, line = measured(cell.contents)
        cells[#cells + 1] = { cell = cell, column = column, words = words }
        lines[column] = math.max(lines[column] or 1, line)
      end
    end
  end
  see(table.head.rows)
  for _, body in ipairs(table.bodies) do see(body.body) end
  local limit, longest, needed, wanted = LONGEST_WORD + 1, nil, nil, nil
  repeat
    limit, longest, needed, wanted = limit - 1, {}, 0, 0
    for _, cell in ipairs(cells) do
      for _, word in ipairs(cell.words) do
        longest[cell.column] = math.max(longest[cell.column] or 1, math.min(word.length, limit))
      end
    end
    for column = 1, #table.colspecs do
      longest[column] = (longest[column] or 1) + 2
      needed, wanted = needed + longest[column], wanted + (lines[column] or 1) + 2
    end
  until needed <= LINE or limit == 1
  for _, cell in ipairs(cells) do break_words(cell.cell, cell.words, limit) end
  if wanted <= LINE then return table end
  local spare, text = math.max(LINE - needed, 0), wanted - needed
  for column, spec in ipairs(table.colspecs) do
    local width = longest[column] + (text > 0 and spare * ((lines[column] or 1) + 2 - longest[column]) / text or 0)
    spec[2] = width / math.max(LINE, needed)
  end
  return table
end

local function break_long(element)
  if pandoc.text.len(element.text) > LONGEST_OUTSIDE then return broken(element) end
end

local LOOK = [[
#set par(justify: false)
#show figure: set block(breakable: true)
#show figure.caption: set block(sticky: true)
#show table: set text(size: 8.5pt)]]

-- What Quarto's Typst would cut off: a callout ends with its page, and wide pictures leave the paper.
local paper = {
  Callout = function(callout)
    local title = pandoc.Inlines({ pandoc.RawInline("typst", "#block(sticky: true)[") })
    title:insert(pandoc.Strong(quarto.utils.as_inlines(callout.title)))
    title:insert(pandoc.RawInline("typst", "]"))
    return pandoc.Blocks({ pandoc.Plain(title) }) .. quarto.utils.as_blocks(callout.content)
  end,
  Image = function(image)
    if (tonumber(image.attributes.width) or 0) > WIDEST_PICTURE then
      image.attributes.width, image.attributes.height = "100%", nil
      return image
    end
  end,
  Meta = function(meta)
    meta.margin = { x = "16mm", y = "20mm" }
    return meta
  end,
  Pandoc = function(document)
    document.blocks:insert(1, pandoc.RawBlock("typst", LOOK))
    return document
  end,
}

return {
  { RawInline = function(element)
      if element.format == "html" and element.text:match("^<br") then return pandoc.LineBreak() end
    end,
    RawBlock = function(element)
      if element.format == "html" then return pandoc.read(element.text, "html").blocks end
    end },
  { Table = fit },
  { Str = break_long, Code = break_long },
  FORMAT == "typst" and paper or {},
}
