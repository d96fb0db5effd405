-- Loaded by oracle_luatex.tex. For each line "INPUT<TAB>OUTPUT" of $ORACLE_LIST, writes the tokens
-- TeX reads from INPUT to OUTPUT in the format of "l0-lex --tokens".
oracle = {}

local DOCUMENT, LOOP = 1, 2 -- category code tables
local ERRORS_RESET_EVERY = 20 -- tokens; TeX gives up at 100 errors without a paragraph's end

tex.enableprimitives("", {"initcatcodetable", "catcodetable"}) -- plain --ini knows TeX's only
tex.print({"\\initcatcodetable1 \\initcatcodetable2 \\directlua{oracle.begin()}"})

function oracle.begin()
    -- Invalid characters (15) are read as ignored ones (9): both give no token and leave the state
    -- as it is (The TeXbook, ch. 8), but each invalid one would be an error.
    for line in io.lines(os.getenv("ORACLE_CATCODES")) do
        local first, last, code = line:match("^(%d+) (%d+) (%d+)")
        code = code == "15" and 9 or tonumber(code)
        for character = first or 1, last or 0 do
            tex.setcatcode("global", DOCUMENT, character, code)
        end
    end
    for digit = 48, 57 do
        tex.setcatcode("global", LOOP, digit, 11)
    end
end

local files = {}
for line in io.lines(os.getenv("ORACLE_LIST")) do
    local input, output = line:match("^(.-)\t(.*)$")
    files[#files + 1] = {input = input, output = output}
end

local at, out, n_tokens = 0, nil, 0

-- The second bytes that may follow a first one (Unicode 15, table 3-7), and the length that it announces.
local function sequence(first)
    if first < 0x80 then
        return 1
    elseif first < 0xC2 or first > 0xF4 then
        return 0
    elseif first < 0xE0 then
        return 2, 0x80, 0xBF
    elseif first < 0xF0 then
        return 3, first == 0xE0 and 0xA0 or 0x80, first == 0xED and 0x9F or 0xBF
    end
    return 4, first == 0xF0 and 0x90 or 0x80, first == 0xF4 and 0x8F or 0xBF
end

-- The bytes at offset at that are one character, and whether they are valid; else a maximal invalid
-- subpart.
local function character(text, at)
    local length, low, high = sequence(text:byte(at))
    for i = 1, length - 1 do
        local byte = text:byte(at + i) or 0
        if byte < low or byte > high then
            return i, false
        end
        low, high = 0x80, 0xBF
    end
    return math.max(length, 1), length > 0
end

-- LuaTeX reads invalid UTF-8 in its own way. It is given U+FFFD in its place, as we read it.
local function repaired(text)
    local parts, from, at = {}, 1, 1
    while at <= #text do
        local length, valid = character(text, at)
        if not valid then
            parts[#parts + 1] = text:sub(from, at - 1) .. "\u{FFFD}"
            from = at + length
        end
        at = at + length
    end
    return table.concat(parts) .. text:sub(from)
end

-- The name by which TeX opens the file, or its repaired copy.
local function readable(file)
    local from = assert(io.open(file.input, "rb"))
    local text = from:read("*a")
    from:close()
    if utf8.len(text) and not text:find("\xED[\xA0-\xBF]") then
        return file.input
    end
    local to = assert(io.open(file.output .. ".repaired.tex", "wb"))
    to:write(repaired(text))
    to:close()
    return file.output .. ".repaired.tex"
end

-- Opens the next file so that its first token is what the loop reads next.
function oracle.open()
    if out then
        out:close()
    end
    out = nil
    at = at + 1
    if not files[at] then
        os.exit(0)
    end
    out = assert(io.open(files[at].output, "wb"))
    tex.catcodetable = DOCUMENT
    tex.sprint(LOOP, "\\expandafter\\L0\\input " .. readable(files[at]) .. " \\E0")
end

local function escaped(name)
    return (name:gsub("[\0-\32%%\127]", function(byte)
        return ("%%%02X"):format(byte:byte())
    end))
end

function oracle.grab()
    local token_read = token.get_next()
    local name = token_read.csname
    if name == "E0" then
        return -- the file is over: TeX goes on with \run
    end
    local line = status.linenumber
    if token_read.active then
        out:write(("13\tU+%04X\t%d\n"):format(utf8.codepoint(name), line))
    elseif name then
        name = name == "" and "\0" or name -- Lua is given a C string
        out:write(("cs\t%s\t%d\n"):format(escaped(name), line))
    else
        out:write(("%d\tU+%04X\t%d\n"):format(token_read.command, token_read.mode, line))
    end
    n_tokens = n_tokens + 1
    if n_tokens % ERRORS_RESET_EVERY == 0 then
        token.put_next(token.create("noindent"), token.create("par"), token.create("L0"))
    else
        token.put_next(token.create("L0"))
    end
end
