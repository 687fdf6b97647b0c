-- expect: limit
local ok = pcall(string.rep, 'x', 2^40)
return {ok = ok}
