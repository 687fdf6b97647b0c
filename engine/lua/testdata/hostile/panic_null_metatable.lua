-- expect: value
return (pcall(function() return list{} .. list{} end)) ~= nil
