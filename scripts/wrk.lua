-- Requests for wrk: the lines of a file, one after the other, as bodies of POST /extract (docs/SERVICE.md).

local bodies = {}
local sent = 0

function init(arguments)
  for line in io.lines(arguments[1]) do
    bodies[#bodies + 1] = line
  end
end

function request()
  sent = sent + 1
  local headers = { ["Content-Type"] = "application/json" }
  return wrk.format("POST", "/extract", headers, bodies[sent % #bodies + 1])
end
