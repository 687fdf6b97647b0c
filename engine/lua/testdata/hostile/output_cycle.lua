-- expect: invalid_input
local t = {}
t.t = {t}
return t
