-- expect: value
return setmetatable({1}, {__index = error, __newindex = error, __call = error, __tostring = error})
