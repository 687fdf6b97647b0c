-- expect: limit
local n = 0
for a in (('a'):rep(100000)):gmatch('(.-)(.-)(.-)b') do n = n + 1 end
return {n = n}
