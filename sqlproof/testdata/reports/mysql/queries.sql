-- name: monthly_revenue
SELECT DATE_FORMAT(o.ordered_at, '%Y-%m') AS month,
       COUNT(DISTINCT o.id) AS orders,
       SUM(oi.quantity * oi.unit_price_cents) AS revenue_cents
FROM orders o
JOIN order_items oi ON oi.order_id = o.id
WHERE o.status <> 'cancelled'
GROUP BY DATE_FORMAT(o.ordered_at, '%Y-%m')
ORDER BY month;

-- name: revenue_by_country
select coalesce(co.name, 'unknown') as country, co.region,
       count(distinct c.id) as customers,
       ifnull(sum(oi.quantity*oi.unit_price_cents),0)/100 as revenue
from customers c
left join countries co on co.code = c.country_code
left join orders o on o.customer_id = c.id and o.status in ('paid','shipped')
left join order_items oi on oi.order_id = o.id
group by co.name, co.region
order by revenue desc, country

-- name: top_products_per_category
SELECT category, sku, product, units
FROM (
    SELECT cat.name AS category, p.sku, p.name AS product, SUM(oi.quantity) AS units,
           ROW_NUMBER() OVER (PARTITION BY cat.id ORDER BY SUM(oi.quantity) DESC, p.sku) AS pos
    FROM order_items oi
    JOIN products p ON p.id = oi.product_id
    JOIN categories cat ON cat.id = p.category_id
    GROUP BY cat.id, cat.name, p.sku, p.name
) ranked
WHERE pos <= 2
ORDER BY category, pos, sku;

-- name: latest_order_per_customer
SELECT o.customer_id, c.name, o.number, o.ordered_at
FROM orders o
JOIN (SELECT customer_id, MAX(ordered_at) AS last_at FROM orders GROUP BY customer_id) l
  ON l.customer_id = o.customer_id AND l.last_at = o.ordered_at
JOIN customers c ON c.id = o.customer_id
ORDER BY o.customer_id, c.name

-- name: latest_order_by_anti_join
SELECT o.customer_id, o.number, o.status
FROM orders o
LEFT JOIN orders newer ON newer.customer_id = o.customer_id AND newer.ordered_at > o.ordered_at
WHERE newer.id IS NULL
ORDER BY o.customer_id, o.number

-- name: running_total_of_payments
SELECT p.id, p.paid_at, p.amount_cents,
       SUM(p.amount_cents) OVER (ORDER BY p.paid_at, p.id ROWS UNBOUNDED PRECEDING) AS running_cents
FROM payments p
WHERE p.status = 'settled'
ORDER BY p.paid_at, p.id;

-- name: moving_average_of_order_value
WITH order_value AS (
    SELECT o.id, o.ordered_at, SUM(oi.quantity * oi.unit_price_cents) - o.discount_cents AS cents
    FROM orders o JOIN order_items oi ON oi.order_id = o.id
    GROUP BY o.id, o.ordered_at, o.discount_cents
)
SELECT id, cents,
       ROUND(AVG(cents) OVER (ORDER BY ordered_at, id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW), 2) AS avg3,
       MAX(cents) OVER (ORDER BY ordered_at, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS best_before
FROM order_value
ORDER BY ordered_at, id

-- name: cohort_retention
WITH cohort AS (
    SELECT c.id AS customer_id, MIN(EXTRACT(YEAR_MONTH FROM o.ordered_at)) AS first_month
    FROM customers c
    JOIN orders o ON o.customer_id = c.id
    GROUP BY c.id
), activity AS (
    SELECT DISTINCT customer_id, EXTRACT(YEAR_MONTH FROM ordered_at) AS active_month
    FROM orders
)
SELECT cohort.first_month, PERIOD_DIFF(activity.active_month, cohort.first_month) AS month_no,
       COUNT(DISTINCT activity.customer_id) AS customers
FROM cohort
JOIN activity USING (customer_id)
GROUP BY cohort.first_month, PERIOD_DIFF(activity.active_month, cohort.first_month)
ORDER BY 1, 2;

-- name: checkout_funnel
SELECT COUNT(DISTINCT CASE WHEN kind = 'visit' THEN customer_id END)    AS visited,
       COUNT(DISTINCT CASE WHEN kind = 'cart' THEN customer_id END)     AS carted,
       COUNT(DISTINCT CASE WHEN kind = 'checkout' THEN customer_id END) AS checked_out,
       COUNT(DISTINCT IF(kind = 'purchase', customer_id, NULL))         AS purchased
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
select 1 as step, 'visit' as label, count(*) as people from v
union all select 2, 'cart', count(*) from k
union all select 3, 'purchase', count(*) from b
order by step

-- name: abc_analysis
WITH sales AS (
    SELECT p.id, p.sku, SUM(oi.quantity * oi.unit_price_cents) AS cents
    FROM products p JOIN order_items oi ON oi.product_id = p.id
    GROUP BY p.id, p.sku
), shares AS (
    SELECT sku, cents, SUM(cents) OVER (ORDER BY cents DESC, sku) / SUM(cents) OVER () AS cumulated
    FROM sales
)
SELECT sku, cents, ROUND(cumulated, 4) AS cumulated,
       CASE WHEN cumulated <= 0.7 THEN 'A' WHEN cumulated <= 0.9 THEN 'B' ELSE 'C' END AS class
FROM shares
ORDER BY cents DESC, sku;

-- name: customer_quartiles
SELECT customer_id, spent, NTILE(4) OVER (ORDER BY spent DESC, customer_id) AS quartile,
       ROUND(PERCENT_RANK() OVER (ORDER BY spent), 3) AS prank, DENSE_RANK() OVER (ORDER BY spent DESC) AS drank
FROM (SELECT o.customer_id, SUM(p.amount_cents) AS spent
      FROM payments p, orders o
      WHERE p.order_id = o.id AND p.status = 'settled'
      GROUP BY o.customer_id) t
ORDER BY spent DESC, customer_id

-- name: median_order_value
WITH v AS (
    SELECT order_id, SUM(quantity * unit_price_cents) AS cents FROM order_items GROUP BY order_id
), ranked AS (
    SELECT cents, ROW_NUMBER() OVER (ORDER BY cents, order_id) AS rn, COUNT(*) OVER () AS n FROM v
)
SELECT AVG(cents) AS median FROM ranked WHERE rn IN ((n + 1) DIV 2, (n + 2) DIV 2)

-- name: pivot_status_by_month
SELECT DATE_FORMAT(ordered_at, '%Y-%m') AS month,
       SUM(status = 'new') AS n_new,
       SUM(status = 'paid') AS n_paid,
       SUM(IF(status = 'shipped', 1, 0)) AS n_shipped,
       SUM(CASE status WHEN 'cancelled' THEN 1 WHEN 'returned' THEN 1 ELSE 0 END) AS n_lost
FROM orders
GROUP BY DATE_FORMAT(ordered_at, '%Y-%m')
ORDER BY month

-- name: rollup_department
SELECT COALESCE(department, 'all') AS department, COALESCE(title, '(subtotal)') AS title, heads, payroll
FROM (
    SELECT department, title, COUNT(*) AS heads, SUM(salary_cents) AS payroll
    FROM employees
    GROUP BY department, title WITH ROLLUP
) r
ORDER BY r.department IS NULL, r.department, r.title IS NULL, r.title

-- name: rollup_status_currency
-- unordered
SELECT status, currency, COUNT(*), SUM(discount_cents)
FROM orders
GROUP BY status, currency WITH ROLLUP
HAVING COUNT(*) > 1

-- name: months_without_gaps
WITH RECURSIVE months AS (
    SELECT CAST('2024-01-01' AS DATE) AS m
    UNION ALL
    SELECT DATE_ADD(m, INTERVAL 1 MONTH) FROM months WHERE m < '2024-06-01'
)
SELECT DATE_FORMAT(months.m, '%Y-%m') AS month, COUNT(o.id) AS orders
FROM months
LEFT JOIN orders o ON o.ordered_at >= months.m AND o.ordered_at < months.m + INTERVAL 1 MONTH
GROUP BY months.m
ORDER BY months.m;

-- name: calendar_weekend_orders
SELECT cal.month_start, cal.is_weekend, COUNT(o.id) AS orders
FROM calendar cal
LEFT JOIN orders o ON DATE(o.ordered_at) = cal.day
GROUP BY cal.month_start, cal.is_weekend
ORDER BY cal.month_start, cal.is_weekend;

-- name: category_tree
WITH RECURSIVE tree AS (
    SELECT id, parent_id, name, 1 AS depth, CAST(name AS CHAR(500)) AS path
    FROM categories
    WHERE parent_id IS NULL
  UNION ALL
    SELECT c.id, c.parent_id, c.name, t.depth + 1, CONCAT(t.path, ' > ', c.name)
    FROM categories c
    JOIN tree t ON c.parent_id = t.id
)
SELECT id, CONCAT(REPEAT('  ', depth - 1), name) AS label, path
FROM tree
ORDER BY path;

-- name: category_tree_depth_limit
-- args: ["Home", 3]
with recursive tree (id, name, depth, ids) as (
  select c.id, c.name, 1, cast(c.id as char(200)) from categories c where c.parent_id is null and c.name = ?
  union all
  select k.id, k.name, t.depth+1, concat(t.ids, '/', k.id)
  from tree t join categories k on k.parent_id = t.id
  where t.depth < ?
)
select id, name, depth, ids from tree order by ids, name

-- name: category_rollup_sales
WITH RECURSIVE closure AS (
    SELECT id AS root_id, id FROM categories
    UNION ALL
    SELECT cl.root_id, c.id FROM closure cl INNER JOIN categories c ON c.parent_id = cl.id
)
SELECT root.name, COALESCE(SUM(oi.quantity * oi.unit_price_cents), 0) AS cents, COUNT(DISTINCT p.id) AS products
FROM categories root
JOIN closure cl ON cl.root_id = root.id
LEFT JOIN products p ON p.category_id = cl.id
LEFT JOIN order_items oi ON oi.product_id = p.id
GROUP BY root.id, root.name
ORDER BY cents DESC, root.name

-- name: org_chart
WITH RECURSIVE chart AS (
    SELECT e.id, e.name, e.title, 0 AS lvl, CAST(e.name AS CHAR(1000)) AS chain
    FROM employees e WHERE e.manager_id IS NULL
    UNION ALL
    SELECT e.id, e.name, e.title, chart.lvl + 1, CONCAT_WS(' / ', chart.chain, e.name)
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
       (SELECT COUNT(*) FROM employees d WHERE d.manager_id = m.id) AS direct,
       COUNT(b.id) AS total,
       SUM(x.salary_cents) AS payroll_below
FROM employees m
JOIN below b ON b.boss = m.id
JOIN employees x ON x.id = b.id
GROUP BY m.id, m.name
ORDER BY total DESC, m.id, m.name;

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
WHERE p.id IS NULL AND o.status != 'cancelled'
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
       (SELECT COUNT(*) FROM orders o WHERE o.customer_id = c.id) AS orders,
       (SELECT MAX(o.ordered_at) FROM orders o WHERE o.customer_id = c.id) AS last_order,
       (SELECT SUM(p.amount_cents) FROM payments p JOIN orders o ON o.id = p.order_id
         WHERE o.customer_id = c.id AND p.status = 'settled') AS paid_cents,
       EXISTS (SELECT 1 FROM subscriptions s WHERE s.customer_id = c.id AND s.ends_on IS NULL) AS subscribed
FROM customers c
ORDER BY c.id, c.name

-- name: visits_by_campaign
SELECT JSON_UNQUOTE(JSON_EXTRACT(e.payload, '$.utm.source')) AS source,
       JSON_UNQUOTE(JSON_EXTRACT(e.payload, '$.utm.campaign')) AS campaign,
       COUNT(*) AS visits, ROUND(AVG(JSON_EXTRACT(e.payload, '$.duration_ms'))) AS avg_ms
FROM events e
WHERE e.kind = 'visit' AND JSON_CONTAINS_PATH(e.payload, 'one', '$.utm')
GROUP BY JSON_UNQUOTE(JSON_EXTRACT(e.payload, '$.utm.source')), JSON_UNQUOTE(JSON_EXTRACT(e.payload, '$.utm.campaign'))
ORDER BY visits DESC, source, campaign

-- name: cart_items_unnested
SELECT item.sku, p.name, SUM(item.qty) AS wanted, COUNT(DISTINCT e.customer_id) AS people
FROM events e
JOIN JSON_TABLE(e.payload, '$.items[*]' COLUMNS (sku VARCHAR(40) PATH '$.sku', qty INT PATH '$.qty')) AS item
JOIN products p ON p.sku = item.sku
WHERE e.kind = 'cart'
GROUP BY item.sku, p.name
ORDER BY wanted DESC, item.sku, p.name

-- name: coupon_lines_comma_json_table
SELECT e.id, JSON_UNQUOTE(JSON_EXTRACT(e.payload, '$.coupon')) AS coupon, j.line, j.sku
FROM events e, JSON_TABLE(e.payload, '$.items[*]' COLUMNS (line FOR ORDINALITY, sku VARCHAR(40) PATH '$.sku')) j
WHERE JSON_EXTRACT(e.payload, '$.coupon') IS NOT NULL
ORDER BY e.id, j.line, j.sku

-- name: products_by_size
-- args: ["\"M\""]
SELECT p.sku, p.name, JSON_UNQUOTE(JSON_EXTRACT(p.attributes, '$.origin.country')) AS origin
FROM products p
WHERE JSON_CONTAINS(p.attributes, ?, '$.sizes')
ORDER BY p.sku, p.name

-- name: order_lines_as_text
SELECT o.number,
       GROUP_CONCAT(CONCAT(oi.quantity, 'x ', p.name) ORDER BY oi.line_no SEPARATOR ', ') AS items,
       GROUP_CONCAT(DISTINCT p.sku ORDER BY p.sku DESC) AS skus
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
ORDER BY o.id, c.name, o.status

-- name: products_with_any_tag
-- args: ["new", "eco"]
SELECT DISTINCT p.sku, p.name, p.price_cents
FROM products p
JOIN product_tags pt ON pt.product_id = p.id
JOIN tags t ON t.id = pt.tag_id
WHERE t.name IN (?, ?) AND p.active
ORDER BY p.sku, p.name;

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
    HAVING COUNT(*) = 2)
ORDER BY p.id

-- name: tag_revenue_share
SELECT t.name, COALESCE(SUM(oi.quantity * oi.unit_price_cents), 0) AS cents,
       ROUND(100 * COALESCE(SUM(oi.quantity * oi.unit_price_cents), 0)
             / (SELECT SUM(quantity * unit_price_cents) FROM order_items), 2) AS pct
FROM tags t
LEFT JOIN product_tags pt ON pt.tag_id = t.id
LEFT JOIN order_items oi ON oi.product_id = pt.product_id
GROUP BY t.id, t.name
ORDER BY cents DESC, t.name

-- name: activity_feed
-- args: [10, 0]
SELECT 'order' AS what, o.number AS ref, o.ordered_at AS happened FROM orders o
UNION ALL
SELECT 'payment', CONCAT(p.method, ' ', p.amount_cents), p.paid_at FROM payments p WHERE p.status = 'settled'
UNION ALL
SELECT 'signup', c.email, c.signed_up_on FROM customers c
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
ORDER BY 1, 2

-- name: best_and_worst_products
(SELECT p.sku, p.price_cents - p.cost_cents AS margin FROM products p ORDER BY margin DESC, p.sku LIMIT 3)
UNION ALL
(SELECT p.sku, p.price_cents - p.cost_cents FROM products p ORDER BY 2, p.sku LIMIT 3)
ORDER BY margin DESC, sku

-- name: open_balance_per_customer
WITH items AS (
    SELECT order_id, SUM(quantity * unit_price_cents) AS gross FROM order_items GROUP BY order_id
), net AS (
    SELECT o.id, o.customer_id, l.gross - o.discount_cents AS net
    FROM orders o JOIN items l ON l.order_id = o.id
    WHERE o.status NOT IN ('cancelled', 'returned')
), paid AS (
    SELECT order_id, SUM(amount_cents) AS paid FROM payments WHERE status = 'settled' GROUP BY order_id
), balance AS (
    SELECT n.customer_id, SUM(n.net) AS net, SUM(COALESCE(p.paid, 0)) AS paid
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
    SELECT EXTRACT(YEAR_MONTH FROM paid_at) AS month, SUM(amount_cents) AS cents
    FROM payments
    WHERE status = 'settled'
    GROUP BY EXTRACT(YEAR_MONTH FROM paid_at)
)
SELECT cur.month, cur.cents, prev.cents AS earlier,
       ROUND(100 * (cur.cents - prev.cents) / NULLIF(prev.cents, 0), 1) AS growth
FROM m cur
LEFT JOIN m prev ON prev.month = PERIOD_ADD(cur.month, -1)
ORDER BY cur.month

-- name: cte_shadows_orders
WITH orders AS (
    SELECT * FROM orders WHERE status = 'shipped'
)
SELECT c.name, COUNT(*) AS shipped, MIN(TIMESTAMPDIFF(HOUR, orders.ordered_at, orders.shipped_at)) AS fastest
FROM orders
JOIN customers c ON c.id = orders.customer_id
GROUP BY c.id, c.name
ORDER BY shipped DESC, c.name

-- name: colleagues_same_manager
SELECT a.name, b.name AS colleague, m.name AS manager
FROM employees a
JOIN employees b ON b.manager_id = a.manager_id AND b.id > a.id
JOIN employees m ON m.id = a.manager_id
ORDER BY a.id, b.id, a.name, b.name, m.name;

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
SELECT co.code, co.name, COUNT(c.id) AS customers
FROM customers c
RIGHT JOIN countries co ON co.code = c.country_code
GROUP BY co.code, co.name
ORDER BY customers DESC, co.code

-- name: emulated_full_join
SELECT e.name AS rep, o.number FROM employees e LEFT JOIN orders o ON o.employee_id = e.id
UNION
SELECT e.name, o.number FROM employees e RIGHT JOIN orders o ON o.employee_id = e.id
ORDER BY rep, number

-- name: join_using
SELECT order_id, SUM(quantity) AS units, MAX(amount_cents) AS paid
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
SELECT tag_id, SUM(quantity) AS units
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
   OR c.credit_limit_cents <=> NULL && o.status = 'new'
   OR (c.country_code = 'US' || c.country_code = 'CA') AND NOT (o.status = 'shipped' OR o.currency = 'EUR')
ORDER BY o.number, o.status, c.name

-- name: above_average_customers
SELECT c.name, SUM(p.amount_cents) AS paid
FROM customers c
JOIN orders o ON o.customer_id = c.id
JOIN payments p ON p.order_id = o.id
WHERE p.status = 'settled'
GROUP BY c.id, c.name
HAVING SUM(p.amount_cents) > (
    SELECT AVG(t.paid) FROM (
        SELECT SUM(p2.amount_cents) AS paid
        FROM payments p2 JOIN orders o2 ON o2.id = p2.order_id
        WHERE p2.status = 'settled'
        GROUP BY o2.customer_id) t)
ORDER BY paid DESC, c.name;

-- name: worklist_by_priority
SELECT o.number, o.status, c.segment
FROM orders o JOIN customers c ON o.customer_id = c.id
WHERE o.status IN ('new', 'paid')
ORDER BY FIELD(c.segment, 'wholesale', 'retail'), CASE WHEN o.note IS NOT NULL THEN 1 ELSE 2 END,
         o.ordered_at DESC, o.number

-- name: paged_products
-- args: ["%e%", 2, 5]
SELECT id, sku, name, price_cents, COUNT(*) OVER () AS total_rows
FROM products
WHERE name LIKE ?
ORDER BY price_cents DESC, sku
LIMIT ?, ?

-- name: window_over_aggregate
SELECT p.category_id, QUARTER(o.ordered_at) AS q,
       SUM(oi.quantity * oi.unit_price_cents) AS cents,
       SUM(SUM(oi.quantity * oi.unit_price_cents)) OVER (PARTITION BY p.category_id ORDER BY QUARTER(o.ordered_at)) AS cumulated
FROM orders o
JOIN order_items oi ON oi.order_id = o.id
JOIN products p ON p.id = oi.product_id
GROUP BY p.category_id, QUARTER(o.ordered_at)
ORDER BY 1, 2

-- name: price_bands
SELECT b.label, COUNT(p.id) AS products, GROUP_CONCAT(p.sku ORDER BY p.sku) AS skus
FROM (SELECT 1 AS pos, 'low' AS label, 0 AS lo, 2000 AS hi UNION ALL SELECT 2, 'mid', 2000, 6000 UNION ALL SELECT 3, 'high', 6000, 1000000) AS b
LEFT JOIN products p ON p.price_cents >= b.lo AND p.price_cents < b.hi
GROUP BY b.pos, b.label
ORDER BY b.pos

-- name: nested_three_deep
SELECT band, COUNT(*) AS customers, SUM(total) AS cents
FROM (
    SELECT customer_id, total, CASE WHEN total > 50000 THEN 'big' WHEN total > 20000 THEN 'medium' ELSE 'small' END AS band
    FROM (
        SELECT v.customer_id, SUM(v.cents) AS total
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
SELECT   C.name , COUNT( * ) AS CNT -- number of orders, not lines
FROM customers C , orders O  # WHERE is below
WHERE O.CUSTOMER_ID=C.ID     -- AND O.STATUS = 'new'
  AND	O.NUMBER NOT LIKE '%--%' AND O.STATUS <> '/* none */' AND O.NUMBER <> '#1'
GROUP BY C.ID , C.name
ORDER BY CNT DESC , C.name
LIMIT 5 ;  -- that is all

-- name: sloppy_one_liner
select id,number,(select name from customers where id=customer_id)as customer from orders where note is not null and(status='shipped'or status='paid')order by id

-- name: hinted
SELECT /*+ NO_ICP(o) MAX_EXECUTION_TIME(2000) */ STRAIGHT_JOIN c.segment, SUM(o.employee_id IS NULL) AS web, COUNT(o.employee_id) AS rep
FROM orders AS o
JOIN customers AS c ON (c.id = o.customer_id)
GROUP BY c.segment
ORDER BY c.segment

-- name: index_hint
SELECT o.number, oi.line_no, oi.quantity
FROM orders o FORCE INDEX (PRIMARY)
JOIN order_items oi USE INDEX FOR JOIN (PRIMARY) ON oi.order_id = o.id
WHERE oi.quantity >= 10
ORDER BY o.number, oi.line_no, oi.quantity

-- name: backquoted_identifiers
SELECT `o`.`number` AS `Order No`, `c`.name AS `select`
FROM `orders` AS `o` INNER JOIN `customers` `c` ON `c`.`id` = `o`.customer_id
WHERE `o`.`status` = 'new' OR o.note = 'leave at the door'
ORDER BY `o`.`number`, 2

-- name: revenue_in_euro
SELECT DATE_FORMAT(o.ordered_at, '%Y-%m') AS month,
       ROUND(SUM(oi.quantity * oi.unit_price_cents * er.rate)) AS eur_cents
FROM orders o
JOIN order_items oi ON oi.order_id = o.id
JOIN exchange_rates er ON er.currency = o.currency
 AND er.rate_date = (SELECT MAX(x.rate_date) FROM exchange_rates x WHERE x.currency = o.currency AND x.rate_date <= o.ordered_at)
GROUP BY DATE_FORMAT(o.ordered_at, '%Y-%m')
ORDER BY month;

-- name: text_search
-- args: ["k", "k"]
SELECT 'product' AS kind, p.id, p.name FROM products p WHERE p.name LIKE CONCAT('%', ?, '%')
UNION
SELECT 'customer', c.id, c.name FROM customers c WHERE LOWER(c.name) LIKE CONCAT('%', ?, '%')
UNION
SELECT 'note', o.id, o.note FROM orders o WHERE o.note LIKE '100!%%' ESCAPE '!' OR o.note REGEXP '^(keep|hold)'
ORDER BY kind, id, name

-- name: slow_shipments
SELECT o.number, DATEDIFF(o.shipped_at, o.ordered_at) AS days
FROM orders o
WHERE o.shipped_at > o.ordered_at + INTERVAL 3 DAY
   OR (o.shipped_at IS NULL AND o.status = 'paid' AND o.ordered_at < DATE_SUB('2024-06-30', INTERVAL 1 MONTH))
ORDER BY days DESC, o.number;

-- name: margins
SELECT p.sku, p.price_cents - p.cost_cents AS margin,
       ROUND((p.price_cents - p.cost_cents) * 100 / NULLIF(p.price_cents, 0), 1) AS pct,
       COALESCE(JSON_UNQUOTE(JSON_EXTRACT(p.attributes, '$.color')), 'none') AS color,
       GREATEST(p.price_cents, 2 * p.cost_cents) AS target, CAST(p.price_cents / 100 AS DECIMAL(10,2)) AS price
FROM products p
WHERE COALESCE(JSON_UNQUOTE(JSON_EXTRACT(p.attributes, '$.color')), 'none') IN ('green', 'white', 'black', 'none')
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
SELECT o.number, c.name, e.name AS rep, SUM(oi.quantity) AS units
FROM orders o
JOIN customers c ON c.tenant_id = o.tenant_id AND c.id = o.customer_id
LEFT JOIN employees e ON e.tenant_id = o.tenant_id AND e.id = o.employee_id
JOIN order_items oi ON (oi.tenant_id, oi.order_id) = (o.tenant_id, o.id)
GROUP BY o.tenant_id, o.id, o.number, c.name, e.name
ORDER BY o.number, c.name

-- name: mrr_by_month
WITH RECURSIVE m AS (SELECT DATE '2023-11-01' AS start UNION ALL SELECT start + INTERVAL 1 MONTH FROM m WHERE start < DATE '2024-06-01')
SELECT m.start, COUNT(s.id) AS active, COALESCE(SUM(s.monthly_cents), 0) AS mrr
FROM m
LEFT JOIN subscriptions s ON s.starts_on < m.start + INTERVAL 1 MONTH AND (s.ends_on IS NULL OR s.ends_on >= m.start)
GROUP BY m.start
ORDER BY m.start;

-- name: plan_changes
SELECT customer_id, previous, plan, DATEDIFF(starts_on, ended) AS gap_days
FROM (
    SELECT s.customer_id, s.plan, s.starts_on,
           LAG(s.plan) OVER w AS previous, LAG(s.ends_on) OVER w AS ended
    FROM subscriptions s
    WINDOW w AS (PARTITION BY s.customer_id ORDER BY s.starts_on, s.id)
) x
WHERE previous IS NOT NULL
ORDER BY customer_id, starts_on, previous

-- name: exchange_rate_trend
SELECT currency, rate_date, rate, rate - LAG(rate) OVER (PARTITION BY currency ORDER BY rate_date) AS delta
FROM exchange_rates
WHERE currency <> 'EUR'
ORDER BY currency, rate_date

-- name: fully_bound_by_hand
-- args: ["a", "a"]
SELECT c.name, COUNT(o.id) AS orders
FROM customers c
LEFT JOIN orders o ON o.customer_id = c.id AND o.tenant_id = ?
WHERE c.tenant_id = ?
GROUP BY c.id, c.name
ORDER BY c.id

-- name: highest_paid_by_department
SELECT department, name, salary_cents
FROM employees
WHERE (department, salary_cents) IN (SELECT department, MAX(salary_cents) FROM employees GROUP BY department)
ORDER BY department, name

-- name: dashboard_numbers
SELECT (SELECT COUNT(*) FROM customers) AS customers,
       (SELECT COUNT(*) FROM orders WHERE status = 'new') AS open_orders,
       (SELECT SUM(amount_cents) FROM payments WHERE status = 'settled') AS settled,
       (SELECT name FROM products ORDER BY price_cents DESC, id LIMIT 1) AS dearest
FROM dual

-- name: lock_open_orders
SELECT o.id, o.number, c.email
FROM orders o
JOIN customers c ON c.id = o.customer_id
WHERE o.status = 'new'
ORDER BY o.id, c.email
FOR UPDATE

-- name: update_prices
-- kind: write
-- args: [10, "SKU-00%"]
UPDATE products SET price_cents = price_cents + price_cents * ? DIV 100
WHERE sku LIKE ? AND active OR price_cents < 1000

-- name: update_all_rows
-- kind: write
UPDATE order_items SET unit_price_cents = unit_price_cents - 1;

-- name: update_join
-- kind: write
UPDATE orders o
JOIN payments p ON p.order_id = o.id
INNER JOIN customers c ON c.id = o.customer_id
SET o.status = 'paid', o.note = CONCAT(IFNULL(o.note, ''), ' [settled]')
WHERE c.segment = 'wholesale' AND p.status = 'settled' AND p.amount_cents > 20000

-- name: update_left_join
-- kind: write
UPDATE customers c LEFT JOIN orders o ON o.customer_id = c.id
SET c.segment = 'dormant', c.credit_limit_cents = 0
WHERE o.id IS NULL

-- name: update_with_correlated_subquery
-- kind: write
UPDATE customers c
SET c.credit_limit_cents = (SELECT COALESCE(SUM(p.amount_cents), 0) * 2 FROM payments p JOIN orders o ON o.id = p.order_id WHERE o.customer_id = c.id)
WHERE c.credit_limit_cents IS NULL OR EXISTS (SELECT 1 FROM events e WHERE e.customer_id = c.id AND JSON_EXTRACT(e.payload, '$.coupon') IS NOT NULL);

-- name: update_from_derived
-- kind: write
UPDATE products p
JOIN (SELECT product_id, SUM(quantity) AS units FROM order_items GROUP BY product_id HAVING SUM(quantity) < 8) slow ON slow.product_id = p.id
SET p.active = FALSE, p.attributes = JSON_SET(p.attributes, '$.slow', 1)

-- name: update_order_by_limit
-- kind: write
-- args: [3]
UPDATE orders SET note = 'first to ship'
WHERE status IN ('new', 'paid')
ORDER BY ordered_at, id
LIMIT ?

-- name: delete_by_subquery
-- kind: write
DELETE FROM order_items
WHERE order_id IN (SELECT id FROM orders WHERE status = 'cancelled' OR status = 'returned')

-- name: delete_join
-- kind: write
DELETE p
FROM payments p
JOIN orders o ON p.order_id = o.id
JOIN customers c ON o.customer_id = c.id
WHERE p.status = 'failed' OR c.segment = 'wholesale' AND p.method = 'card';

-- name: delete_using_two_tables
-- kind: write
DELETE FROM o, oi USING orders AS o LEFT JOIN order_items AS oi ON oi.order_id = o.id
WHERE o.status IN ('cancelled', 'returned')

-- name: delete_all_but_latest_event
-- kind: write
DELETE FROM events
WHERE id NOT IN (
    SELECT id FROM (
        SELECT id, ROW_NUMBER() OVER (PARTITION BY customer_id, kind ORDER BY occurred_at DESC, id DESC) AS rn FROM events
    ) ranked WHERE rn = 1)
   OR kind = 'visit'

-- name: delete_oldest
-- kind: write
DELETE FROM events WHERE kind = 'cart' ORDER BY occurred_at, id LIMIT 2

-- name: delete_tag_links
-- kind: write
-- args: ["clearance"]
DELETE FROM product_tags WHERE tag_id IN (SELECT id FROM tags WHERE name = ?)

-- name: insert_values
-- kind: write
-- args: [101, "zoe@example.com", "Zoe Lind", "FR"]
INSERT INTO customers (id, email, name, country_code, segment, signed_up_on)
VALUES (?, ?, ?, ?, 'retail', '2024-06-30')

-- name: insert_set
-- kind: write
-- args: ["vip"]
INSERT INTO tags SET id = 2001, name = ?, color = (SELECT name FROM products ORDER BY price_cents DESC LIMIT 1)

-- name: insert_multi_row
-- kind: write
INSERT INTO events (id, customer_id, kind, occurred_at, payload) VALUES
    (201, 1, 'visit', '2024-06-30 10:00:00', '{}'),
    (202, (SELECT id FROM customers WHERE email = 'ben@example.org'), 'cart', '2024-06-30 10:05:00', '{}'),
    (203, (SELECT MAX(id) FROM customers), 'visit', '2024-06-30 11:00:00', '{}');

-- name: insert_next_number
-- kind: write
-- args: [1]
INSERT INTO orders (id, number, customer_id, status, currency, ordered_at)
SELECT MAX(id) + 1, CONCAT('SO-', MAX(SUBSTRING(number, 4)) + 1), ?, 'new', 'EUR', '2024-06-30 12:00:00'
FROM orders

-- name: insert_order_totals
-- kind: write
INSERT INTO order_totals (order_id, customer_id, item_count, net_cents, paid_cents, refreshed_on)
SELECT o.id, o.customer_id, COUNT(*), SUM(oi.quantity * oi.unit_price_cents) - MIN(o.discount_cents),
       COALESCE((SELECT SUM(p.amount_cents) FROM payments p WHERE p.order_id = o.id AND p.status = 'settled'), 0), '2024-06-30'
FROM orders o
JOIN order_items oi ON oi.order_id = o.id
WHERE o.status <> 'cancelled'
GROUP BY o.id, o.customer_id

-- name: insert_totals_grouped_by_ordinal
-- kind: write
INSERT INTO order_totals (order_id, item_count, net_cents)
SELECT order_id, COUNT(*), SUM(quantity * unit_price_cents)
FROM order_items
GROUP BY 1
HAVING COUNT(*) >= 2
ORDER BY 3 DESC, 1
LIMIT 5

-- name: insert_copies_tenant
-- kind: write
INSERT IGNORE INTO order_totals (tenant_id, order_id, customer_id, paid_cents)
SELECT o.tenant_id, o.id, o.customer_id, p.amount_cents
FROM orders o
JOIN payments p ON p.order_id = o.id
WHERE p.status = 'settled' AND p.id = (SELECT MIN(x.id) FROM payments x WHERE x.order_id = o.id AND x.status = 'settled')

-- name: upsert_customer
-- kind: write
-- args: [102, "carla@example.com", 777700]
INSERT INTO customers (id, email, name, segment, signed_up_on, credit_limit_cents)
VALUES (?, ?, 'Carla D.', 'wholesale', '2024-06-01', ?)
ON DUPLICATE KEY UPDATE name = VALUES(name), credit_limit_cents = COALESCE(credit_limit_cents, 0) + VALUES(credit_limit_cents)

-- name: upsert_from_select
-- kind: write
INSERT INTO order_totals (order_id, customer_id, paid_cents)
SELECT o.id, o.customer_id, p.amount_cents
FROM payments p JOIN orders o ON o.id = p.order_id
WHERE p.status = 'settled'
ON DUPLICATE KEY UPDATE order_totals.paid_cents = order_totals.paid_cents + VALUES(paid_cents), item_count = item_count + 1

-- name: insert_tag_links
-- kind: write
INSERT IGNORE INTO product_tags (product_id, tag_id)
SELECT p.id, t.id
FROM products p
JOIN tags t ON t.name = 'sale'
WHERE p.price_cents > 6000
