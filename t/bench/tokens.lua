-- For wrk: each request has the next token of the file that BENCH_TOKENS names.
local tokens, at = {}, 0

function init()
	for token in io.lines(os.getenv("BENCH_TOKENS")) do
		local headers = { Authorization = token }
		for name, value in pairs(wrk.headers) do
			headers[name] = value
		end
		tokens[#tokens + 1] = wrk.format("GET", nil, headers)
	end
end

function request()
	at = at % #tokens + 1
	return tokens[at]
end
