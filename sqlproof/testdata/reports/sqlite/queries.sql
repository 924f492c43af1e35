-- name: monthly_revenue
SELECT strftime('%Y-%m', o.ordered_at) AS month,
       count(DISTINCT o.id) AS orders,
       sum(oi.quantity * oi.unit_price_cents) AS revenue_cents
FROM orders o
JOIN order_items oi ON oi.order_id = o.id
WHERE o.status <> 'cancelled'
GROUP BY 1
ORDER BY 1;

-- name: revenue_by_country
select coalesce(co.name, 'unknown') as country, co.region,
       count(distinct c.id) as customers,
       coalesce(sum(oi.quantity*oi.unit_price_cents),0)/100.0 as revenue
from customers c
left join countries co on co.code = c.country_code
left join orders o on o.customer_id = c.id and o.status in ('paid','shipped')
left join order_items oi on oi.order_id = o.id
group by 1, 2
order by revenue desc, country

-- name: top_products_per_category
SELECT category, sku, product, units
FROM (
    SELECT cat.name AS category, p.sku, p.name AS product, sum(oi.quantity) AS units,
           row_number() OVER (PARTITION BY cat.id ORDER BY sum(oi.quantity) DESC, p.sku) AS pos
    FROM order_items oi
    JOIN products p ON p.id = oi.product_id
    JOIN categories cat ON cat.id = p.category_id
    GROUP BY cat.id, cat.name, p.sku, p.name
) ranked
WHERE pos <= 2
ORDER BY category, pos, sku;

-- name: latest_order_per_customer
SELECT o.customer_id, max(o.ordered_at) AS last_order, o.number, o.status
FROM orders o
GROUP BY o.customer_id
ORDER BY o.customer_id

-- name: last_two_orders_per_customer
-- args: [2]
SELECT c.id, c.name, r.number, r.ordered_at
FROM customers c
LEFT JOIN (
    SELECT customer_id, number, ordered_at, row_number() OVER (PARTITION BY customer_id ORDER BY ordered_at DESC) AS rn
    FROM orders
) r ON r.customer_id = c.id AND r.rn <= ?
ORDER BY c.id, r.ordered_at DESC

-- name: running_total_of_payments
SELECT p.id, p.paid_at, p.amount_cents,
       SUM(p.amount_cents) OVER (ORDER BY p.paid_at, p.id ROWS UNBOUNDED PRECEDING) AS running_cents
FROM payments p
WHERE p.status = 'settled'
ORDER BY p.paid_at, p.id;

-- name: moving_average_of_order_value
WITH order_value AS (
    SELECT o.id, o.ordered_at, sum(oi.quantity * oi.unit_price_cents) - o.discount_cents AS cents
    FROM orders o JOIN order_items oi ON oi.order_id = o.id
    GROUP BY o.id, o.ordered_at, o.discount_cents
)
SELECT id, cents,
       round(avg(cents) OVER w3, 2) AS avg3,
       max(cents) OVER (ORDER BY ordered_at, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS best_before
FROM order_value
WINDOW w3 AS (ORDER BY ordered_at, id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)
ORDER BY ordered_at, id

-- name: thirty_day_window
SELECT o.number, date(o.ordered_at) AS day,
       count(*) OVER (ORDER BY julianday(date(o.ordered_at)) RANGE BETWEEN 30 PRECEDING AND CURRENT ROW) AS orders_30d
FROM orders o
ORDER BY o.ordered_at, o.number

-- name: cohort_retention
WITH cohort AS (
    SELECT c.id AS customer_id, min(strftime('%Y-%m', o.ordered_at)) AS first_month
    FROM customers c
    JOIN orders o ON o.customer_id = c.id
    GROUP BY c.id
), activity AS (
    SELECT DISTINCT customer_id, strftime('%Y-%m', ordered_at) AS active_month
    FROM orders
)
SELECT first_month,
       (substr(active_month, 1, 4) - substr(first_month, 1, 4)) * 12 + substr(active_month, 6) - substr(first_month, 6) AS month_no,
       count(DISTINCT activity.customer_id) AS customers
FROM cohort
JOIN activity USING (customer_id)
GROUP BY 1, 2
ORDER BY 1, 2;

-- name: checkout_funnel
SELECT count(DISTINCT customer_id) FILTER (WHERE kind = 'visit')    AS visited,
       count(DISTINCT customer_id) FILTER (WHERE kind = 'cart')     AS carted,
       count(DISTINCT customer_id) FILTER (WHERE kind = 'checkout') AS checked_out,
       count(DISTINCT customer_id) FILTER (WHERE kind = 'purchase') AS purchased
FROM events
WHERE occurred_at >= '2024-01-01' AND occurred_at < '2024-07-01'

-- name: ordered_funnel
with v as (
  select customer_id, min(occurred_at) since from events where kind = 'visit' group by customer_id
), k as (
  select e.customer_id, min(e.occurred_at) since from events e join v on v.customer_id = e.customer_id and e.occurred_at > v.since
  where e.kind = 'cart' group by e.customer_id
), b as (
  select e.customer_id, min(e.occurred_at) since from events e join k on k.customer_id = e.customer_id and e.occurred_at > k.since
  where e.kind = 'purchase' group by e.customer_id
)
select 1 as step, 'visit' as label, count(*) from v
union all select 2, 'cart', count(*) from k
union all select 3, 'purchase', count(*) from b
order by step

-- name: abc_analysis
WITH sales AS (
    SELECT p.id, p.sku, SUM(oi.quantity * oi.unit_price_cents) AS cents
    FROM products p JOIN order_items oi ON oi.product_id = p.id
    GROUP BY p.id
), shares AS (
    SELECT sku, cents, SUM(cents) OVER (ORDER BY cents DESC, sku) * 1.0 / SUM(cents) OVER () AS cumulated
    FROM sales
)
SELECT sku, cents, round(cumulated, 4) AS cumulated,
       CASE WHEN cumulated <= 0.7 THEN 'A' WHEN cumulated <= 0.9 THEN 'B' ELSE 'C' END AS class
FROM shares
ORDER BY cents DESC, sku;

-- name: customer_quartiles
SELECT customer_id, spent, ntile(4) OVER (ORDER BY spent DESC, customer_id) AS quartile,
       round(percent_rank() OVER (ORDER BY spent), 3) AS prank, dense_rank() OVER (ORDER BY spent DESC) AS drank
FROM (SELECT o.customer_id, sum(p.amount_cents) AS spent
      FROM payments p, orders o
      WHERE p.order_id = o.id AND p.status = 'settled'
      GROUP BY o.customer_id) t
ORDER BY spent DESC, customer_id

-- name: median_order_value
WITH v AS (
    SELECT order_id, sum(quantity * unit_price_cents) AS cents FROM order_items GROUP BY order_id
), ranked AS (
    SELECT cents, row_number() OVER (ORDER BY cents, order_id) AS rn, count(*) OVER () AS n FROM v
)
SELECT avg(cents) AS median FROM ranked WHERE rn IN ((n + 1) / 2, (n + 2) / 2)

-- name: pivot_status_by_month
SELECT strftime('%Y-%m', ordered_at) AS month,
       sum(CASE WHEN status = 'new' THEN 1 ELSE 0 END) AS new,
       sum(CASE WHEN status = 'paid' THEN 1 ELSE 0 END) AS paid,
       sum(CASE WHEN status = 'shipped' THEN 1 ELSE 0 END) AS shipped,
       sum(CASE status WHEN 'cancelled' THEN 1 WHEN 'returned' THEN 1 ELSE 0 END) AS lost
FROM orders
GROUP BY strftime('%Y-%m', ordered_at)
ORDER BY month

-- name: settled_ratio_by_method
SELECT method,
       count(*) FILTER (WHERE status = 'settled') AS settled,
       total(amount_cents) FILTER (WHERE status <> 'settled') AS lost,
       round(100.0 * sum(status = 'settled') / count(*), 1) AS pct
FROM payments
GROUP BY method
ORDER BY pct DESC, method;

-- name: subtotals_by_union
SELECT department, title, count(*) AS heads, sum(salary_cents) AS payroll, 0 AS lvl FROM employees GROUP BY department, title
UNION ALL
SELECT department, NULL, count(*), sum(salary_cents), 1 FROM employees GROUP BY department
UNION ALL
SELECT NULL, NULL, count(*), sum(salary_cents), 2 FROM employees
ORDER BY 1 NULLS LAST, 5, 2

-- name: months_without_gaps
WITH RECURSIVE months(m) AS (
    VALUES ('2024-01-01')
    UNION ALL
    SELECT date(m, '+1 month') FROM months WHERE m < '2024-06-01'
)
SELECT strftime('%Y-%m', m) AS month, count(o.id) AS orders
FROM months
LEFT JOIN orders o ON strftime('%Y-%m', o.ordered_at) = strftime('%Y-%m', m)
GROUP BY m
ORDER BY m;

-- name: daily_sales_in_range
-- args: ["2024-02-10", "2024-02-29"]
WITH RECURSIVE days(day) AS (
    SELECT ? UNION ALL SELECT date(day, '+1 day') FROM days WHERE day < ?
)
SELECT d.day, coalesce(s.cents, 0) AS cents
FROM days d
LEFT JOIN (
    SELECT date(o.ordered_at) AS day, sum(oi.quantity * oi.unit_price_cents) AS cents
    FROM orders o
    JOIN order_items oi ON oi.order_id = o.id
    WHERE o.status NOT IN ('cancelled', 'returned')
    GROUP BY 1
) s ON s.day = d.day
ORDER BY 1

-- name: calendar_weekend_orders
SELECT cal.month_start, cal.is_weekend, count(o.id) AS orders
FROM calendar cal
LEFT JOIN orders o ON date(o.ordered_at) = cal.day
GROUP BY cal.month_start, cal.is_weekend
ORDER BY cal.month_start, cal.is_weekend;

-- name: category_tree
WITH RECURSIVE tree AS (
    SELECT id, parent_id, name, 1 AS depth, name AS path
    FROM categories
    WHERE parent_id IS NULL
  UNION ALL
    SELECT c.id, c.parent_id, c.name, t.depth + 1, t.path || ' > ' || c.name
    FROM categories c
    JOIN tree t ON c.parent_id = t.id
)
SELECT id, substr('          ', 1, (depth - 1) * 2) || name AS label, path
FROM tree
ORDER BY path;

-- name: category_tree_depth_first
-- args: ["Home", 3]
with tree(id, name, depth) as (
  select c.id, c.name, 1 from categories c where c.parent_id is null and c.name = ?
  union all
  select k.id, k.name, t.depth+1
  from tree t join categories k on k.parent_id = t.id
  where t.depth < ?
  order by 3 desc, 2
)
select id, name, depth from tree

-- name: category_rollup_sales
WITH RECURSIVE closure AS (
    SELECT id AS root_id, id FROM categories
    UNION ALL
    SELECT cl.root_id, c.id FROM closure cl INNER JOIN categories c ON c.parent_id = cl.id
)
SELECT root.name, coalesce(sum(oi.quantity * oi.unit_price_cents), 0) AS cents, count(DISTINCT p.id) AS products
FROM categories root
JOIN closure cl ON cl.root_id = root.id
LEFT JOIN products p ON p.category_id = cl.id
LEFT JOIN order_items oi ON oi.product_id = p.id
GROUP BY root.id, root.name
ORDER BY cents DESC, root.name

-- name: org_chart
WITH RECURSIVE chart AS (
    SELECT e.id, e.name, e.title, 0 AS lvl, e.name AS chain
    FROM employees e WHERE e.manager_id IS NULL
    UNION ALL
    SELECT e.id, e.name, e.title, chart.lvl + 1, chart.chain || ' / ' || e.name
    FROM employees e, chart
    WHERE e.manager_id = chart.id
)
SELECT lvl, name, title, chain FROM chart ORDER BY chain

-- name: manager_span
WITH RECURSIVE below AS (
    SELECT manager_id AS boss, id FROM employees WHERE manager_id IS NOT NULL
    UNION
    SELECT b.boss, e.id FROM below b JOIN employees e ON e.manager_id = b.id
)
SELECT m.id, m.name,
       (SELECT count(*) FROM employees d WHERE d.manager_id = m.id) AS direct,
       count(b.id) AS total,
       sum(x.salary_cents) AS payroll_below
FROM employees m
JOIN below b ON b.boss = m.id
JOIN employees x ON x.id = b.id
GROUP BY m.id, m.name
ORDER BY total DESC, m.id;

-- name: customers_without_orders
SELECT c.id, c.name, c.email
FROM customers c
WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id)
ORDER BY c.id;

-- name: products_never_sold
SELECT p.sku, p.name
FROM products p
WHERE p.id NOT IN (SELECT oi.product_id FROM order_items oi WHERE oi.product_id IS NOT NULL)
ORDER BY p.sku

-- name: orders_without_payment
SELECT o.number, o.status, o.ordered_at
FROM orders o
LEFT JOIN payments p ON p.order_id = o.id
WHERE p.id ISNULL AND o.status != 'cancelled'
ORDER BY o.number

-- name: buyers_of_a_sku
-- args: ["SKU-001"]
SELECT c.name, c.email
FROM customers c
WHERE EXISTS (
    SELECT 1
    FROM orders o
    JOIN order_items oi ON oi.order_id = o.id
    JOIN products p ON p.id = oi.product_id
    WHERE o.customer_id = c.id AND p.sku = ?)
ORDER BY c.name;

-- name: orders_with_everything_cheap
SELECT o.number FROM orders o
WHERE NOT EXISTS (
        SELECT * FROM order_items i
        WHERE i.order_id = o.id
          AND NOT EXISTS (SELECT * FROM products p WHERE p.id = i.product_id AND p.price_cents < 5000))
ORDER BY o.number

-- name: customer_overview
SELECT c.id, c.name,
       (SELECT count(*) FROM orders o WHERE o.customer_id = c.id) AS orders,
       (SELECT max(o.ordered_at) FROM orders o WHERE o.customer_id = c.id) AS last_order,
       (SELECT sum(p.amount_cents) FROM payments p JOIN orders o ON o.id = p.order_id
         WHERE o.customer_id = c.id AND p.status = 'settled') AS paid_cents,
       EXISTS (SELECT 1 FROM subscriptions s WHERE s.customer_id = c.id AND s.ends_on IS NULL) AS subscribed
FROM customers c
ORDER BY c.id

-- name: visits_by_campaign
SELECT e.payload->'utm'->>'source' AS source, e.payload->>'$.utm.campaign' AS campaign,
       count(*) AS visits, round(avg(e.payload->>'duration_ms')) AS avg_ms
FROM events e
WHERE e.kind = 'visit' AND json_type(e.payload, '$.utm') = 'object'
GROUP BY 1, 2
ORDER BY visits DESC, source, campaign

-- name: events_with_coupon
SELECT e.id, e.customer_id, json_extract(e.payload, '$.coupon') AS coupon, json_array_length(e.payload, '$.items') AS lines
FROM events e
WHERE json_extract(e.payload, '$.coupon') IS NOT NULL
ORDER BY e.id;

-- name: cart_items_unnested
SELECT json_extract(item.value, '$.sku') AS sku, p.name, sum(item.value->>'qty') AS wanted, count(DISTINCT e.customer_id) AS people
FROM events e, json_each(e.payload, '$.items') AS item
JOIN products p ON p.sku = json_extract(item.value, '$.sku')
WHERE e.kind = 'cart'
GROUP BY 1, 2
ORDER BY wanted DESC, sku, p.name

-- name: product_attribute_keys
SELECT a.key, count(*) AS used, min(a.type) AS type, max(a.atom) AS sample
FROM products p, json_each(p.attributes) a
GROUP BY a.key
ORDER BY used DESC, a.key

-- name: products_by_size
-- args: ["M"]
SELECT p.sku, p.name, p.attributes->'origin'->>'country' AS origin
FROM products p
WHERE EXISTS (SELECT 1 FROM json_each(p.attributes, '$.sizes') s WHERE s.value = ?)
ORDER BY p.sku

-- name: order_lines_as_text
SELECT o.number,
       group_concat(oi.quantity || 'x ' || p.name, ', ' ORDER BY oi.line_no) AS lines,
       json_group_array(json_object('sku', p.sku, 'qty', oi.quantity) ORDER BY oi.line_no) AS payload
FROM orders o
JOIN order_items oi ON oi.order_id = o.id
JOIN products p ON p.id = oi.product_id
GROUP BY o.id, o.number
ORDER BY o.id

-- name: orders_by_id_list
-- args: [1, 4, 9, 15]
SELECT o.id, o.number, o.status, c.name
FROM orders o
LEFT JOIN customers c ON c.id = o.customer_id
WHERE o.id IN (?, ?, ?, ?)
ORDER BY o.id, c.name

-- name: products_with_any_tag
-- args: ["new", "eco"]
SELECT DISTINCT p.sku, p.name, p.price_cents
FROM products p
JOIN product_tags pt ON pt.product_id = p.id
JOIN tags t ON t.id = pt.tag_id
WHERE t.name IN (?, ?) AND p.active
ORDER BY p.sku;

-- name: products_with_all_tags
-- args: ["sale", "gift"]
SELECT p.id, p.name
FROM products p
WHERE p.id IN (
    SELECT pt.product_id
    FROM product_tags pt
    JOIN tags t ON t.id = pt.tag_id
    WHERE t.name IN (?, ?)
    GROUP BY pt.product_id
    HAVING count(*) = 2)
ORDER BY p.id

-- name: tag_pairs
SELECT t1.name AS one, t2.name AS two, count(*) AS products
FROM product_tags a
JOIN product_tags b ON b.product_id = a.product_id AND b.tag_id > a.tag_id
JOIN tags t1 ON t1.id = a.tag_id
JOIN tags t2 ON t2.id = b.tag_id
GROUP BY 1, 2
ORDER BY products DESC, 1, 2

-- name: tag_revenue_share
SELECT t.name, coalesce(sum(oi.quantity * oi.unit_price_cents), 0) AS cents,
       round(100.0 * coalesce(sum(oi.quantity * oi.unit_price_cents), 0)
             / (SELECT sum(quantity * unit_price_cents) FROM order_items), 2) AS pct
FROM tags t
LEFT JOIN product_tags pt ON pt.tag_id = t.id
LEFT JOIN order_items oi ON oi.product_id = pt.product_id
GROUP BY t.id
ORDER BY cents DESC, t.name

-- name: untagged_products
SELECT p.sku, (SELECT count(*) FROM product_tags pt WHERE pt.product_id = p.id) AS tags
FROM products p
WHERE p.id NOT IN (SELECT pt.product_id FROM product_tags pt JOIN tags t ON t.id = pt.tag_id WHERE t.color IN ('red', 'green'))
ORDER BY tags, p.sku

-- name: activity_feed
-- args: [10, 0]
SELECT 'order' AS what, o.number AS ref, o.ordered_at AS happened FROM orders o
UNION ALL
SELECT 'payment', p.method || ' ' || p.amount_cents, p.paid_at FROM payments p WHERE p.status = 'settled'
UNION ALL
SELECT 'signup', c.email, datetime(c.signed_up_on) FROM customers c
ORDER BY happened DESC, what, ref
LIMIT ? OFFSET ?

-- name: visitors_who_never_bought
SELECT customer_id FROM events WHERE kind = 'visit'
EXCEPT
SELECT customer_id FROM orders
ORDER BY customer_id;

-- name: subscribers_who_order
SELECT c.id, c.name FROM customers c JOIN subscriptions s ON s.customer_id = c.id WHERE s.ends_on IS NULL
INTERSECT
SELECT c.id, c.name FROM customers c JOIN orders o ON o.customer_id = c.id WHERE o.ordered_at >= '2024-03-01'
ORDER BY 1

-- name: best_and_worst_products
SELECT * FROM (SELECT p.sku, p.price_cents - p.cost_cents AS margin FROM products p ORDER BY margin DESC, p.sku LIMIT 3)
UNION ALL
SELECT * FROM (SELECT p.sku, p.price_cents - p.cost_cents FROM products p ORDER BY 2, p.sku LIMIT 3)
ORDER BY margin DESC, sku

-- name: open_balance_per_customer
WITH lines AS (
    SELECT order_id, sum(quantity * unit_price_cents) AS gross FROM order_items GROUP BY order_id
), net AS (
    SELECT o.id, o.customer_id, l.gross - o.discount_cents AS net
    FROM orders o JOIN lines l ON l.order_id = o.id
    WHERE o.status NOT IN ('cancelled', 'returned')
), paid AS (
    SELECT order_id, sum(amount_cents) AS paid FROM payments WHERE status = 'settled' GROUP BY order_id
), balance AS (
    SELECT n.customer_id, sum(n.net) AS net, sum(coalesce(p.paid, 0)) AS paid
    FROM net n LEFT JOIN paid p ON p.order_id = n.id
    GROUP BY n.customer_id
)
SELECT c.name, b.net, b.paid, b.net - b.paid AS open_cents,
       CASE WHEN c.credit_limit_cents IS NULL THEN 'no limit'
            WHEN b.net - b.paid > c.credit_limit_cents THEN 'over' ELSE 'ok' END AS credit
FROM balance b JOIN customers c ON c.id = b.customer_id
WHERE b.net > b.paid
ORDER BY open_cents DESC, c.name;

-- name: month_over_month
WITH m AS (
    SELECT date(paid_at, 'start of month') AS month, sum(amount_cents) AS cents
    FROM payments
    WHERE status = 'settled'
    GROUP BY 1
)
SELECT cur.month, cur.cents, prev.cents AS before,
       round(100.0 * (cur.cents - prev.cents) / nullif(prev.cents, 0), 1) AS growth
FROM m cur
LEFT JOIN m prev ON prev.month = date(cur.month, '-1 month')
ORDER BY cur.month

-- name: cte_shadows_orders
WITH orders AS (
    SELECT * FROM main.orders WHERE status = 'shipped'
)
SELECT c.name, count(*) AS shipped, round(min(julianday(orders.shipped_at) - julianday(orders.ordered_at)), 3) AS fastest
FROM orders
JOIN customers c ON c.id = orders.customer_id
GROUP BY c.id, c.name
ORDER BY shipped DESC, c.name

-- name: colleagues_same_manager
SELECT a.name, b.name AS colleague, m.name AS manager
FROM employees a
JOIN employees b ON b.manager_id = a.manager_id AND b.id > a.id
JOIN employees m ON m.id = a.manager_id
ORDER BY a.id, b.id;

-- name: referral_pairs
SELECT c.name AS customer, r.name AS referrer, rr.name AS referrers_referrer
FROM customers c
     LEFT OUTER JOIN customers r ON r.id = c.referred_by
     LEFT OUTER JOIN customers rr ON rr.id = r.referred_by
ORDER BY c.id

-- name: legacy_comma_join
select o.number, c.name, e.name as rep, p.sku, oi.quantity
from orders o, customers c, employees e, order_items oi, products p
where o.customer_id=c.id and o.employee_id=e.id and oi.order_id=o.id and oi.product_id=p.id
  and (c.segment='wholesale' or oi.quantity>=10)
order by o.number, oi.line_no;

-- name: parenthesised_joins
SELECT c.name, o.number, pay.method
FROM customers c
LEFT JOIN (orders o INNER JOIN payments pay ON pay.order_id = o.id AND pay.status = 'settled')
       ON o.customer_id = c.id
WHERE c.segment = 'retail'
ORDER BY c.id, o.id, pay.id

-- name: right_join_countries
SELECT co.code, co.name, count(c.id) AS customers
FROM customers c
RIGHT JOIN countries co ON co.code = c.country_code
GROUP BY co.code, co.name
ORDER BY customers DESC, co.code

-- name: full_join_month_signups_orders
SELECT coalesce(s.month, o.month) AS month, coalesce(s.signups, 0) AS signups, coalesce(o.orders, 0) AS orders
FROM (SELECT strftime('%Y-%m', signed_up_on) AS month, count(*) AS signups FROM customers GROUP BY 1) s
FULL JOIN (SELECT strftime('%Y-%m', ordered_at) AS month, count(*) AS orders FROM orders GROUP BY 1) o
       ON o.month = s.month
ORDER BY 1;

-- name: full_join_tables
SELECT e.id AS employee, e.name, o.number
FROM employees e
FULL OUTER JOIN orders o ON o.employee_id = e.id
ORDER BY e.id NULLS LAST, o.number

-- name: join_using
SELECT order_id, sum(quantity) AS units, max(amount_cents) AS paid
FROM order_items
JOIN payments USING (order_id)
WHERE status = 'settled'
GROUP BY order_id
ORDER BY order_id

-- name: left_join_using
SELECT customer_id, o.number, s.plan, s.monthly_cents
FROM orders o
LEFT JOIN subscriptions s USING (customer_id)
ORDER BY customer_id, o.number, s.plan, s.monthly_cents

-- name: natural_join_tags
SELECT tag_id, sum(quantity) AS units
FROM order_items NATURAL JOIN product_tags
GROUP BY tag_id
ORDER BY units DESC, tag_id

-- name: or_heavy_search
-- args: ["%rush%", "SO-1001", 1500]
SELECT o.number, o.status, o.note
FROM orders o
JOIN customers c ON c.id = o.customer_id
WHERE o.note LIKE ?
   OR o.number = ?
   OR o.discount_cents >= ?
   OR c.credit_limit_cents IS NULL AND o.status = 'new'
   OR (c.country_code = 'US' OR c.country_code = 'CA') AND NOT (o.status = 'shipped' OR o.currency = 'EUR')
ORDER BY o.number

-- name: above_average_customers
SELECT c.name, sum(p.amount_cents) AS paid
FROM customers c
JOIN orders o ON o.customer_id = c.id
JOIN payments p ON p.order_id = o.id
WHERE p.status = 'settled'
GROUP BY c.id, c.name
HAVING sum(p.amount_cents) > (
    SELECT avg(t.paid) FROM (
        SELECT sum(p2.amount_cents) AS paid
        FROM payments p2 JOIN orders o2 ON o2.id = p2.order_id
        WHERE p2.status = 'settled'
        GROUP BY o2.customer_id) t)
ORDER BY paid DESC;

-- name: worklist_by_priority
SELECT o.number, o.status, c.segment
FROM orders o JOIN customers c ON o.customer_id = c.id
WHERE o.status IN ('new', 'paid')
ORDER BY CASE WHEN c.segment = 'wholesale' THEN 0 WHEN o.note IS NOT NULL THEN 1 ELSE 2 END,
         o.ordered_at DESC, o.number

-- name: paged_products
-- args: ["%e%", 2, 5]
SELECT id, sku, name, price_cents, count(*) OVER () AS total_rows
FROM products
WHERE name LIKE ?
ORDER BY price_cents DESC, sku
LIMIT ?, ?

-- name: keyset_page
-- args: ["2024-02-14 08:55:00", 5, 4]
SELECT id, number, ordered_at
FROM orders
WHERE (ordered_at, id) > (?, ?)
ORDER BY ordered_at, id
LIMIT ?

-- name: window_over_aggregate
SELECT p.category_id, strftime('%Y-%m', o.ordered_at) AS month,
       sum(oi.quantity * oi.unit_price_cents) AS cents,
       sum(sum(oi.quantity * oi.unit_price_cents)) OVER (PARTITION BY p.category_id ORDER BY strftime('%Y-%m', o.ordered_at)) AS cumulated
FROM orders o
JOIN order_items oi ON oi.order_id = o.id
JOIN products p ON p.id = oi.product_id
GROUP BY p.category_id, strftime('%Y-%m', o.ordered_at)
ORDER BY 1, 2

-- name: price_bands
WITH b(pos, label, lo, hi) AS (VALUES (1, 'low', 0, 2000), (2, 'mid', 2000, 6000), (3, 'high', 6000, 1000000))
SELECT b.label, count(p.id) AS products, group_concat(p.sku, ',' ORDER BY p.sku) AS skus
FROM b
LEFT JOIN products p ON p.price_cents >= b.lo AND p.price_cents < b.hi
GROUP BY b.pos, b.label
ORDER BY b.pos

-- name: nested_three_deep
SELECT band, count(*) AS customers, sum(total) AS cents
FROM (
    SELECT customer_id, total, CASE WHEN total > 50000 THEN 'big' WHEN total > 20000 THEN 'medium' ELSE 'small' END AS band
    FROM (
        SELECT v.customer_id, sum(v.cents) AS total
        FROM (
            SELECT o.customer_id, oi.quantity * oi.unit_price_cents AS cents
            FROM orders o JOIN order_items oi ON oi.order_id = o.id
            WHERE o.status <> 'cancelled'
        ) v
        GROUP BY v.customer_id
    ) per_customer
) banded
GROUP BY band
ORDER BY cents DESC

-- name: shouting_with_comments
/* Sales board, top 5.
   Owner: the sales team -- do not touch */
SELECT   C.NAME , COUNT ( * ) AS CNT -- number of orders, not lines
FROM CUSTOMERS C , ORDERS O  -- WHERE is below
WHERE O.CUSTOMER_ID=C.ID     -- AND O.STATUS = 'new'
  AND	O.NUMBER NOT LIKE '%--%' AND O.STATUS <> '/* none */'
GROUP BY C.ID , C.NAME
ORDER BY CNT DESC , C.NAME
LIMIT 5 ;  -- that is all

-- name: sloppy_one_liner
select id,number,(select name from customers where id=customer_id)as customer from orders where note is not null and(status='shipped'or status='paid')order by id

-- name: quoted_identifiers
SELECT "o"."number" AS "Order No", [c].[name] AS `select`
FROM "orders" AS "o" INNER JOIN `customers` AS [c] ON c.id = o."customer_id"
WHERE "o"."status" = 'new' OR o.note = 'leave at the door'
ORDER BY "o"."number", 2

-- name: revenue_in_euro
SELECT strftime('%Y-%m', o.ordered_at) AS month,
       round(sum(oi.quantity * oi.unit_price_cents * (
           SELECT er.rate FROM exchange_rates er
           WHERE er.currency = o.currency AND er.rate_date <= o.ordered_at
           ORDER BY er.rate_date DESC LIMIT 1)), 2) AS eur_cents
FROM orders o
JOIN order_items oi ON oi.order_id = o.id
GROUP BY 1
ORDER BY 1;

-- name: converted_payments
WITH rated AS (
    SELECT p.id, p.amount_cents, o.currency, er.rate, row_number() OVER (PARTITION BY p.id ORDER BY er.rate_date DESC) AS rn
    FROM payments p
    JOIN orders o ON o.id = p.order_id
    JOIN exchange_rates er ON er.currency = o.currency AND er.rate_date <= date(p.paid_at)
    WHERE p.status = 'settled'
)
SELECT currency, sum(amount_cents) AS cents, round(sum(amount_cents * rate), 2) AS eur_cents
FROM rated WHERE rn = 1
GROUP BY currency
ORDER BY currency

-- name: text_search
-- args: ["k", "k", "k"]
SELECT 'product' AS kind, p.id, p.name FROM products p WHERE p.name LIKE '%' || ? || '%'
UNION
SELECT 'customer', c.id, c.name FROM customers c WHERE c.name LIKE '%' || ? || '%'
UNION
SELECT 'note', o.id, o.note FROM orders o WHERE o.note LIKE '100!%%' ESCAPE '!' OR o.note GLOB ? || '*'
ORDER BY kind, id

-- name: slow_shipments
SELECT o.number, round((julianday(o.shipped_at) - julianday(o.ordered_at)) * 24, 1) AS hours
FROM orders o
WHERE o.shipped_at > datetime(o.ordered_at, '+3 days')
   OR (o.shipped_at IS NULL AND o.status = 'paid' AND o.ordered_at < date('2024-06-30', '-1 month'))
ORDER BY hours DESC, o.number;

-- name: margins
SELECT p.sku, p.price_cents - p.cost_cents AS margin,
       round((p.price_cents - p.cost_cents) * 100.0 / NULLIF(p.price_cents, 0), 1) AS pct,
       IFNULL(p.attributes->>'color', 'none') AS color,
       MAX(p.price_cents, 2 * p.cost_cents) AS target, CAST(p.attributes->>'weight_g' AS integer) AS grams
FROM products p
WHERE COALESCE(p.attributes->>'color', 'none') IN ('green', 'white', 'black', 'none')
ORDER BY pct DESC, p.sku

-- name: tenant_bound_by_hand_on_one
-- args: ["a", "shipped"]
SELECT o.number, c.name, p.amount_cents
FROM orders o
JOIN customers c ON c.id = o.customer_id
LEFT JOIN payments p ON p.order_id = o.id AND p.status = 'settled'
WHERE o.tenant_id = ? AND o.status = ?
ORDER BY o.number, c.name, p.id, p.amount_cents

-- name: joined_on_tenant_too
SELECT o.number, c.name, e.name AS rep, sum(oi.quantity) AS units
FROM orders o
JOIN customers c ON c.tenant_id = o.tenant_id AND c.id = o.customer_id
LEFT JOIN employees e ON e.tenant_id = o.tenant_id AND e.id = o.employee_id
JOIN order_items oi ON (oi.tenant_id, oi.order_id) = (o.tenant_id, o.id)
GROUP BY o.tenant_id, o.id, o.number, c.name, e.name
ORDER BY o.number, c.name

-- name: joined_using_tenant
SELECT customer_id, o.number, s.plan
FROM orders o JOIN subscriptions s USING (tenant_id, customer_id)
WHERE date(o.ordered_at) BETWEEN s.starts_on AND coalesce(s.ends_on, '2099-12-31')
ORDER BY customer_id, o.number, s.plan

-- name: mrr_by_month
WITH RECURSIVE m(start) AS (SELECT '2023-11-01' UNION ALL SELECT date(start, '+1 month') FROM m LIMIT 8)
SELECT m.start, count(s.id) AS active, coalesce(sum(s.monthly_cents), 0) AS mrr,
       sum(date(s.starts_on, 'start of month') = m.start) AS started
FROM m
LEFT JOIN subscriptions s ON s.starts_on < date(m.start, '+1 month') AND (s.ends_on IS NULL OR s.ends_on >= m.start)
GROUP BY m.start
ORDER BY m.start;

-- name: plan_changes
SELECT customer_id, previous, plan, julianday(starts_on) - julianday(ended) AS gap_days
FROM (
    SELECT s.customer_id, s.plan, s.starts_on,
           lag(s.plan) OVER w AS previous, lag(s.ends_on) OVER w AS ended
    FROM subscriptions s
    WINDOW w AS (PARTITION BY s.customer_id ORDER BY s.starts_on, s.id)
) x
WHERE previous IS NOT NULL
ORDER BY customer_id, starts_on, previous

-- name: first_and_last_value
SELECT DISTINCT e.department,
       first_value(e.name) OVER w AS top_earner, last_value(e.name) OVER w AS lowest,
       nth_value(e.name, 2) OVER w AS second
FROM employees e
WINDOW w AS (PARTITION BY e.department ORDER BY e.salary_cents DESC, e.id RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
ORDER BY e.department;

-- name: exchange_rate_trend
SELECT currency, rate_date, rate, rate - lag(rate) OVER (PARTITION BY currency ORDER BY rate_date) AS change
FROM exchange_rates
WHERE currency <> 'EUR'
ORDER BY currency, rate_date

-- name: fully_bound_by_hand
-- args: ["a", "a"]
SELECT c.name, count(o.id) AS orders
FROM customers c
LEFT JOIN orders o ON o.customer_id = c.id AND o.tenant_id = ?
WHERE c.tenant_id = ?
GROUP BY c.id, c.name
ORDER BY c.id

-- name: highest_paid_by_department
SELECT department, name, salary_cents
FROM employees
WHERE (department, salary_cents) IN (SELECT department, max(salary_cents) FROM employees GROUP BY department)
ORDER BY department, name

-- name: dashboard_numbers
SELECT (SELECT count(*) FROM customers) AS customers,
       (SELECT count(*) FROM orders WHERE status == 'new') AS open_orders,
       (SELECT sum(amount_cents) FROM payments WHERE status = 'settled') AS settled,
       (SELECT name FROM products ORDER BY price_cents DESC, id LIMIT 1) AS dearest,
       (SELECT group_concat(plan || '=' || n, ' ' ORDER BY plan) FROM (SELECT plan, count(*) AS n FROM subscriptions WHERE ends_on IS NULL GROUP BY plan)) AS plans

-- name: materialized_cte
WITH big AS MATERIALIZED (
    SELECT order_id FROM order_items GROUP BY order_id HAVING sum(quantity * unit_price_cents) > 25000
), small AS NOT MATERIALIZED (
    SELECT order_id FROM order_items GROUP BY order_id HAVING sum(quantity * unit_price_cents) < 5000
)
SELECT o.number, o.id IN big AS is_big, o.id IN (SELECT order_id FROM small) AS is_small
FROM orders o
ORDER BY o.number

-- name: price_changed_since_order
SELECT o.number, p.sku, oi.unit_price_cents, p.price_cents
FROM order_items oi
CROSS JOIN products p
JOIN orders o ON o.id = oi.order_id
WHERE p.id = oi.product_id AND oi.unit_price_cents IS NOT p.price_cents
ORDER BY o.number, p.sku

-- name: update_prices
-- kind: write
-- args: [10, "SKU-00%"]
UPDATE products SET price_cents = price_cents + price_cents * ? / 100
WHERE sku LIKE ? AND active OR price_cents < 1000

-- name: update_all_rows
-- kind: write
UPDATE order_items SET unit_price_cents = unit_price_cents - 1;

-- name: update_from_payments
-- kind: write
UPDATE orders AS o
SET status = 'paid', note = coalesce(o.note, '') || ' [' || x.method || ']'
FROM (SELECT order_id, min(method) AS method FROM payments WHERE status = 'settled' AND amount_cents > 15000 GROUP BY order_id) AS x
JOIN customers c
WHERE x.order_id = o.id AND c.id = o.customer_id AND c.segment = 'wholesale'

-- name: update_with_correlated_subquery
-- kind: write
UPDATE customers
SET credit_limit_cents = (SELECT coalesce(sum(p.amount_cents), 0) * 2 FROM payments p JOIN orders o ON o.id = p.order_id WHERE o.customer_id = customers.id)
WHERE credit_limit_cents IS NULL OR EXISTS (SELECT 1 FROM events e WHERE e.customer_id = customers.id AND e.payload->>'coupon' IS NOT NULL);

-- name: update_row_from_subselect
-- kind: write
UPDATE subscriptions
SET (plan, monthly_cents) = (SELECT x.plan, x.monthly_cents FROM subscriptions x WHERE x.plan <> subscriptions.plan ORDER BY x.monthly_cents DESC, x.id LIMIT 1)
WHERE plan = 'basic' AND ends_on IS NULL

-- name: update_returning
-- kind: write
-- unordered
-- args: ["operations"]
UPDATE employees SET salary_cents = salary_cents * 103 / 100
WHERE department = ?
RETURNING id, name, salary_cents

-- name: update_with_cte
-- kind: write
WITH slow AS (
    SELECT product_id, sum(quantity) AS units FROM order_items GROUP BY product_id HAVING sum(quantity) < 8
)
UPDATE products SET active = 0, attributes = json_set(attributes, '$.slow', json('true'))
WHERE id IN (SELECT product_id FROM slow)

-- name: update_top_n
-- kind: write
-- args: [3]
UPDATE orders SET note = 'first to ship'
WHERE id IN (SELECT id FROM orders WHERE status IN ('new', 'paid') ORDER BY ordered_at, id LIMIT ?)

-- name: delete_by_subquery
-- kind: write
DELETE FROM order_items
WHERE order_id IN (SELECT id FROM orders WHERE status = 'cancelled' OR status = 'returned')

-- name: delete_not_exists
-- kind: write
DELETE FROM customers
WHERE NOT EXISTS (SELECT 1 FROM orders WHERE orders.customer_id = customers.id)
  AND NOT EXISTS (SELECT 1 FROM subscriptions s WHERE s.customer_id = customers.id)

-- name: delete_all_but_latest_event
-- kind: write
DELETE FROM events
WHERE id NOT IN (
    SELECT id FROM (
        SELECT id, row_number() OVER (PARTITION BY customer_id, kind ORDER BY occurred_at DESC, id DESC) AS rn FROM events
    ) WHERE rn = 1)
   OR kind = 'visit'

-- name: delete_returning
-- kind: write
-- unordered
DELETE FROM subscriptions WHERE ends_on < '2024-05-01' RETURNING id, plan, julianday(ends_on) - julianday(starts_on) AS days

-- name: delete_tag_links
-- kind: write
-- args: ["clearance"]
DELETE FROM product_tags WHERE tag_id IN (SELECT id FROM tags WHERE name = ?)

-- name: insert_values
-- kind: write
-- args: [101, "zoe@example.com", "Zoe Lind", "FR"]
INSERT INTO customers (id, email, name, country_code, segment, signed_up_on)
VALUES (?, ?, ?, ?, 'retail', '2024-06-30')

-- name: insert_multi_row
-- kind: write
INSERT INTO events (id, customer_id, kind, occurred_at, payload) VALUES
    (201, 1, 'visit', '2024-06-30 10:00:00', '{"path": "/"}'),
    (202, (SELECT id FROM customers WHERE email = 'ben@example.org'), 'cart', '2024-06-30 10:05:00', '{"items": []}'),
    (203, (SELECT max(id) FROM customers), 'visit', '2024-06-30 11:00:00', '{}');

-- name: insert_next_number
-- kind: write
-- args: [1]
INSERT INTO orders (id, number, customer_id, status, currency, ordered_at)
SELECT max(id) + 1, 'SO-' || (max(substr(number, 4) + 0) + 1), ?, 'new', 'EUR', '2024-06-30 12:00:00'
FROM orders

-- name: insert_order_totals
-- kind: write
INSERT INTO order_totals (order_id, customer_id, item_count, net_cents, paid_cents, refreshed_on)
SELECT o.id, o.customer_id, count(*), sum(oi.quantity * oi.unit_price_cents) - min(o.discount_cents),
       coalesce((SELECT sum(p.amount_cents) FROM payments p WHERE p.order_id = o.id AND p.status = 'settled'), 0), '2024-06-30'
FROM orders o
JOIN order_items oi ON oi.order_id = o.id
WHERE o.status <> 'cancelled'
GROUP BY o.id, o.customer_id

-- name: insert_totals_grouped_by_ordinal
-- kind: write
INSERT INTO order_totals (order_id, item_count, net_cents)
SELECT order_id, count(*), sum(quantity * unit_price_cents)
FROM order_items
GROUP BY 1
HAVING count(*) >= 2
ORDER BY 3 DESC, 1
LIMIT 5

-- name: insert_from_union
-- kind: write
INSERT INTO tags (id, name, color)
SELECT 2000 + row_number() OVER (ORDER BY u.word), u.word, NULL
FROM (
    SELECT DISTINCT 'color-' || (attributes->>'color') AS word FROM products WHERE active
    UNION
    SELECT 'segment-' || segment FROM customers
) u

-- name: insert_copies_tenant
-- kind: write
INSERT OR IGNORE INTO order_totals (tenant_id, order_id, customer_id, paid_cents)
SELECT o.tenant_id, o.id, o.customer_id, p.amount_cents
FROM orders o
JOIN payments p ON p.order_id = o.id
WHERE p.status = 'settled' AND p.id = (SELECT min(x.id) FROM payments x WHERE x.order_id = o.id AND x.status = 'settled')

-- name: upsert_product_price
-- kind: write
INSERT INTO products (id, category_id, sku, name, price_cents, cost_cents, active, attributes, created_on)
VALUES (3001, 4, 'SKU-001', 'Iron Skillet XL', 5900, 2300, 1, '{}', '2024-06-30'),
       (3002, 5, 'SKU-099', 'Bread Knife', 3200, 1200, 1, '{"color": "steel"}', '2024-06-30')
ON CONFLICT (tenant_id, sku) DO UPDATE
SET name = excluded.name, price_cents = max(products.price_cents, excluded.price_cents);

-- name: upsert_customer_where
-- kind: write
-- args: [102, "carla@example.com", 777700]
INSERT INTO customers AS c (id, email, name, segment, signed_up_on, credit_limit_cents)
VALUES (?, ?, 'Carla D.', 'wholesale', '2024-06-01', ?)
ON CONFLICT (tenant_id, email) DO UPDATE
SET name = EXCLUDED.name, credit_limit_cents = EXCLUDED.credit_limit_cents
WHERE c.credit_limit_cents IS NULL OR c.credit_limit_cents <> EXCLUDED.credit_limit_cents
RETURNING id, name, credit_limit_cents

-- name: upsert_from_select
-- kind: write
INSERT INTO order_totals (order_id, customer_id, paid_cents)
SELECT o.id, o.customer_id, p.amount_cents
FROM payments p JOIN orders o ON o.id = p.order_id
WHERE p.status = 'settled'
ORDER BY p.id
ON CONFLICT (tenant_id, order_id) DO UPDATE SET paid_cents = paid_cents + excluded.paid_cents, item_count = item_count + 1

-- name: insert_tag_links
-- kind: write
INSERT INTO product_tags (product_id, tag_id)
SELECT p.id, t.id
FROM products p
JOIN tags t ON t.name = 'sale'
WHERE p.price_cents > 6000
ON CONFLICT DO NOTHING
